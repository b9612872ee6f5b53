// SPDX-License-Identifier: BSD-2-Clause
// The information of multiboot 1 and 2 loaders, as struct boot_facts. Pure: all memory is read
// through the reader, and nothing read is trusted.
#pragma once

#include <boot/boot.h>

#define MULTIBOOT1_LOADER 0x2badb002u
#define MULTIBOOT2_LOADER 0x36d76289u
#define MULTIBOOT_COMMAND_LINE 8191

struct multiboot {
	// Both come from the caller, the rest is zero before. The reader: a pointer to size bytes
	// at a physical address, or null if they cannot be read.
	const void *(*reader)(uint64_t physical, uint64_t size);
	struct boot_facts *facts; // zero before but for the limit of memory
	unsigned modules_lost; // for which there is no room
	// One byte more tells that the line was cut.
	char command_line[MULTIBOOT_COMMAND_LINE + 2];
};

// Fills memory, modules, framebuffer, VBE and RSDP of the facts. False if magic is unknown or the
// information is damaged.
[[nodiscard]] bool multiboot_read(struct multiboot *loader, uint32_t magic, uint64_t information);
