// SPDX-License-Identifier: BSD-2-Clause
// The information of multiboot 1 and 2 loaders, as struct boot_facts. Pure: all memory is read
// through the reader, and nothing read is trusted.
#pragma once

#include <boot/boot.h>

#define MULTIBOOT1_LOADER 0x2badb002u
#define MULTIBOOT2_LOADER 0x36d76289u
#define MULTIBOOT_COMMAND_LINE 8192

enum multiboot_memory { MEMORY_RAM = 1, MEMORY_ACPI_TABLES = 3, MEMORY_ACPI_SAVED = 4 };

struct multiboot {
	// These three come from the caller, the rest is zero before. The reader: a pointer to size
	// bytes at a physical address, or null if they cannot be read.
	const void *(*reader)(uint64_t physical, uint64_t size);
	struct boot_facts *facts; // zero before
	uint64_t ram_end; // what is above cannot be addressed
	unsigned memory_lost; // ranges and modules for which there is no room
	unsigned modules_lost;
	bool is_line_cut;
	char command_line[MULTIBOOT_COMMAND_LINE];
};

// Fills memory, modules, framebuffer, VBE and RSDP of the facts. False if magic is unknown or the
// information is damaged.
[[nodiscard]] bool multiboot_read(struct multiboot *loader, uint32_t magic, uint64_t information);
