// SPDX-License-Identifier: BSD-2-Clause
// What the cores of one kernel image share of the machine. The kernel's objects stand behind it, in
// struct kernel (kernel.h).
#pragma once

#include <cpu/percpu.h>

// Found at boot and read afterwards, unless a member says otherwise.
struct platform {
	const char *syscall_entries[SYSCALL_ENTRIES]; // what LSTAR may hold
	uint64_t xcr0_supported; // what XCR0 may hold
};
