// SPDX-License-Identifier: BSD-2-Clause
// The information of multiboot 1 and 2 loaders, as struct boot_facts. Pure: all memory is read
// through the reader, and nothing read is trusted.
#pragma once

#include <boot/boot.h>

#define MULTIBOOT1_LOADER 0x2badb002u
#define MULTIBOOT2_LOADER 0x36d76289u

// A pointer to size bytes at a physical address, or null if they cannot be read.
typedef const void *memory_reader(uint64_t physical, uint64_t size);

// Fills memory, modules, command line, framebuffer, VBE and RSDP of the facts, which are zero
// before but for the limit of memory. False if magic is unknown or the information is damaged.
[[nodiscard]] bool multiboot_read(
	struct boot_facts *facts, memory_reader *reader, uint32_t magic, uint64_t information);
