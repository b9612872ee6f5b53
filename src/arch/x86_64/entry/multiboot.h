// SPDX-License-Identifier: BSD-2-Clause
// The information of multiboot 1 and 2 loaders, as struct boot_facts. Pure: all memory is read
// through the reader (acpi.h), and nothing read is trusted.
#pragma once

#include <boot/boot.h>

#define MULTIBOOT1_LOADER 0x2badb002u
#define MULTIBOOT2_LOADER 0x36d76289u

// Fills memory, modules, command line, framebuffer, VBE and RSDP of the facts, which are zero
// before but for the limit of memory. False if magic is unknown or the information is damaged.
[[nodiscard]] bool multiboot_read(struct boot_facts *facts, uint32_t magic, uint64_t information);
