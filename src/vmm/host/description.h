// SPDX-License-Identifier: BSD-2-Clause
// What the system description passes to the VMM: symbols that the composer patches in the ELF file
// (guest_name, guest_rng, and setvar_vaddr, setvar_size and setvar_prefill_size of its maps). 0
// means "not given".
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { GUEST_NAME_SIZE = 64 };

extern char guest_name[GUEST_NAME_SIZE]; // of the virtual machine, terminated
extern uint64_t guest_ram_vaddr, guest_ram_size; // mapped in the guest at address 0 as well
extern uint64_t guest_kernel_vaddr, guest_kernel_size;
extern uint64_t guest_initrd_vaddr, guest_initrd_size;
extern uint64_t guest_cmdline_vaddr, guest_cmdline_size;
extern uint64_t tsc_info_vaddr; // boot information chunk with the TSC's rate
extern uint64_t console_vaddr; // struct console shared with the serial port driver
extern bool guest_rng; // an entropy device is wanted
extern uint64_t peer_vaddr; // struct console shared with the component at the second serial port
