// SPDX-License-Identifier: BSD-2-Clause
// tests-kernel.elf: everything that one core shows.
#include "files.h"

#define FILES(FILE) \
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
	FILE(dma) \
	FILE(irq) \
	FILE(irq_core) \
	FILE(remap) \
	FILE(domain) \
	FILE(sched_context) \
	FILE(schedule) \
	FILE(ready_order) \
	FILE(equivalence) \
	FILE(budget) \
	FILE(budget_end) \
	FILE(stubs)

TEST_FILES_DEFINE(FILES);
