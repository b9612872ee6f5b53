// SPDX-License-Identifier: BSD-2-Clause
// From what the boot loader said to the initial task (BOOT-1 to BOOT-16).
//
// The folder: what is free and how it is cut (boot_memory), the first objects (boot), and the
// initial task's information about them (boot_info).
#pragma once

#include <boot/boot_memory.h>
#include <cpu/acpi.h>
#include <base/screen.h>

enum { BOOT_MAX_MODULES = 16, BOOT_MAP_ENTRIES = 50, BOOT_COMMAND_LINE = 8191 };

// Payload of BOOTINFO_MEMORY_MAP: the first entries of the loader's map.
struct [[gnu::packed]] boot_map {
	uint32_t size; // bytes of valid entries
	struct [[gnu::packed]] boot_map_entry {
		uint32_t size; // of what follows
		uint64_t base;
		uint64_t length;
		uint32_t type; // enum memory_type
	} entries[BOOT_MAP_ENTRIES];
};

// Plain data: written by arch, read by kernel/boot.c, which takes the memory it needs.
struct boot_facts {
	struct boot_memory memory;
	struct acpi_facts acpi;
	uint32_t verbose_boot; // print the untyped list and other details
	uint32_t root_cnode_bits; // 0: by the memory there is
	uint32_t module_count, modules_lost; // the latter for want of room
	uint32_t has_framebuffer, has_screen, has_vbe;
	char command_line[BOOT_COMMAND_LINE + 2]; // one byte more tells that the line was cut

	// Payloads of extra bootinfo.
	struct bootinfo_module modules[BOOT_MAX_MODULES];
	struct boot_map map;
	uint8_t rsdp[36];
	uint32_t tsc_mhz;
	uint64_t tsc_hertz;
	struct bootinfo_options options;
	uint8_t framebuffer[SCREEN_INFO]; // of it SCREEN_LAYOUT bytes; all if the screen is used
	uint8_t vbe[784];
};

// Makes untypeds, the root cnode, the initial thread and its space, fills bootinfo. Prints one
// clear line and returns false if the initial task cannot be started.
[[nodiscard]] bool boot_root(struct boot_facts *facts);

// Writes the chunks of extra bootinfo (BOOT-16), no more than a page. Returns their size.
uint64_t boot_info_write_extra(const struct boot_facts *facts, void *memory);
