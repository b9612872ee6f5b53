// SPDX-License-Identifier: BSD-2-Clause
// Common to all initial tasks: the entry point, and how a task ends an emulator run.
#pragma once

#include <stdint.h>

#include <sel4/sel4.h>

// Called by start.asm.
void root_start(const seL4_BootInfo *bootinfo);

// Defined by the task. Slot allocator and untyped allocator are ready; returning suspends the task.
void root_main(const seL4_BootInfo *bootinfo);

// The time stamp counter at the task's first instruction. Written by start.asm.
extern uint64_t root_start_tsc;

// The chunk of extra bootinfo with this id; null when the kernel gave none or it is malformed.
const seL4_BootInfoHeader *bootinfo_find(const seL4_BootInfo *bootinfo, seL4_Word id);

// End the run of QEMU (isa-debug-exit at port 0xf4) or Bochs (port 0x8900); returns on any other
// machine. QEMU's exit status becomes 2 * status + 1.
void machine_exit(seL4_Uint8 status);
