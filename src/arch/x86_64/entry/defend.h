// SPDX-License-Identifier: BSD-2-Clause
// Switching on the defences of this core, and with them other ways in and out.
#pragma once

#include <cpu/percpu.h>
#include <cpu/segments.h>
#include <entry/options.h>

// The kernel's own tables where GS is unknown; 0 where programs see them too.
extern uint64_t defended_kernel_cr3;

// Chooses and switches on, says so in one line, and branches the ways out off; chooses the ways in,
// with fast paths where the CPU and the options allow. The kernel's text is still writable, and
// nobody has left the kernel yet.
struct ways_in defend_start(struct cpu *cpu, const struct options *options);
