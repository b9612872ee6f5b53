// SPDX-License-Identifier: BSD-2-Clause
// The test files in the order they run: what later tests rely on comes first.
#pragma once

#define TEST_FILES(FILE) \
	FILE(bootinfo) \
	FILE(syscall) \
	FILE(message) \
	FILE(untyped) \
	FILE(cspace) \
	FILE(cnode) \
	FILE(cnode_errors) \
	FILE(derivation) \
	FILE(tcb) \
	FILE(tcb_errors) \
	FILE(registers) \
	FILE(endpoint) \
	FILE(transfer) \
	FILE(reply) \
	FILE(donation) \
	FILE(donation_chains) \
	FILE(notification) \
	FILE(bound) \
	FILE(cancel) \
	FILE(deletion) \
	FILE(fault) \
	FILE(fpu) \
	FILE(space) \
	FILE(frame) \
	FILE(ept) \
	FILE(rows_map) \
	FILE(vcpu) \
	FILE(asid) \
	FILE(port) \
	FILE(io_space) \
	FILE(irq) \
	FILE(domain) \
	FILE(sched_context) \
	FILE(schedule) \
	FILE(ready_order) \
	FILE(equivalence) \
	FILE(budget) \
	FILE(budget_end) \
	FILE(stubs)
