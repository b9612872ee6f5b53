// SPDX-License-Identifier: BSD-2-Clause
// Loads a Linux bzImage by the 64-bit boot protocol: kernel, initial RAM disk, command line, boot
// parameters, memory map, and the tables the entry point expects. Pure.
//
//	0x000500  GDT                       0x020000  command line
//	0x007000  boot parameters           0x0e0000  ACPI tables
//	0x009000  identity page tables      0x0ffff0  reset vector
//	preferred address (16 MiB): kernel; top of RAM: RAM disk
#pragma once

#include <vmm/host/memory.h>

struct linux_file {
	const uint8_t *bytes;
	uint64_t size;
};

struct linux_files {
	struct linux_file kernel;
	struct linux_file initrd; // size 0: none
	struct linux_file cmdline; // text; size 0: the default
	uint64_t rsdp; // guest address of the ACPI root pointer
};

struct linux_entry {
	uint64_t rip;
	uint64_t boot_parameters;
	uint64_t page_tables;
	uint64_t gdt_base;
	uint16_t gdt_limit;
	uint16_t code_selector, data_selector;
};

struct linux_problem {
	char text[128]; // one line: what is wrong, and where
};

#define LINUX_RAM_LIMIT 0xc0000000ull // above it lie the APIC pages

[[nodiscard]] bool linux_load(const struct guest_memory *memory, const struct linux_files *files,
	struct linux_entry *entry, struct linux_problem *problem);
