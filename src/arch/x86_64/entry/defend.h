// SPDX-License-Identifier: BSD-2-Clause
// Switching on the defences of this core, and with them other ways in and out.
#pragma once

#include <cpu/percpu.h>
#include <entry/options.h>

// Where the CPU enters the kernel.
struct ways_in {
	const char *stubs; // STUB_SIZE apart, one a vector
	const char *syscall;
};

// The kernel's own tables where GS is unknown; 0 where programs see them too.
extern uint64_t defended_kernel_cr3;

// Chooses and switches on, says so in one line, and branches the ways out off. The kernel's text is
// still writable, and nobody has left the kernel yet.
struct ways_in defend_start(struct cpu *cpu, const struct options *options);
