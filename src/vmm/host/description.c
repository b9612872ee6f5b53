// SPDX-License-Identifier: BSD-2-Clause
// The patched symbols. They are in .data, because the composer needs bytes in the file.
#include <vmm/host/description.h>

#define PATCHED [[gnu::section(".data")]]

// Another tool than Nacre's leaves the name as it is.
PATCHED char guest_name[GUEST_NAME_SIZE] = "guest";
PATCHED uint64_t guest_ram_vaddr = 0, guest_ram_size = 0;
PATCHED uint64_t guest_kernel_vaddr = 0, guest_kernel_size = 0;
PATCHED uint64_t guest_initrd_vaddr = 0, guest_initrd_size = 0;
PATCHED uint64_t guest_cmdline_vaddr = 0, guest_cmdline_size = 0;
PATCHED uint64_t tsc_info_vaddr = 0;
PATCHED uint64_t console_vaddr = 0;
PATCHED uint64_t peer_vaddr = 0;
PATCHED bool guest_rng = false;
