// SPDX-License-Identifier: BSD-2-Clause
// From what the boot loader said to the initial task (BOOT-1 to BOOT-16).
//
// The folder: what is free and how it is cut (boot_memory), the first objects (boot), and the
// initial task's information about them (boot_info).
#pragma once

#include <abi/bootinfo.h>
#include <stdbool.h>

enum {
	BOOT_MAX_MEMORY = 1024, // ranges of the memory map
	BOOT_MAX_REGIONS = 64,
	BOOT_MAX_MODULES = 16,
};

struct boot_region {
	uint64_t start;
	uint64_t end; // exclusive
};

struct boot_module {
	uint64_t start;
	uint64_t end;
	char name[48];
};

// One entry of the memory map, as the BOOTINFO_MEMORY_MAP chunk has it.
struct [[gnu::packed]] boot_memory {
	uint32_t size;
	uint64_t base;
	uint64_t length;
	uint32_t type; // 1: RAM
};

// Plain data: written by arch, read by kernel/boot.c.
struct boot_facts {
	uint32_t memory_count;
	struct boot_memory memory[BOOT_MAX_MEMORY];
	uint32_t kept_count; // what the kernel keeps: pages of RAM, APIC, IOAPICs, 0xfffffff8
	struct boot_region kept[BOOT_MAX_REGIONS];
	uint32_t module_count;
	struct boot_module modules[BOOT_MAX_MODULES];
	uint8_t rsdp[36];
	uint32_t tsc_mhz; // payload of BOOTINFO_TSC_FREQUENCY
	uint64_t tsc_hertz; // and of BOOTINFO_TSC_RATE
	uint32_t has_framebuffer;
	uint8_t framebuffer[22]; // payload of BOOTINFO_FRAMEBUFFER
	uint32_t has_vbe;
	uint8_t vbe[784]; // payload of BOOTINFO_VBE
	uint32_t verbose_boot; // print the untyped list and other details
	uint32_t root_cnode_bits; // 0: by the memory there is
};

// The start of size bytes of free contiguous RAM below limit, page aligned; 0 if there are none.
// They stay free.
uint64_t boot_room(const struct boot_facts *facts, uint64_t size, uint64_t limit);

// Makes untypeds, the root cnode, the initial thread and its space, fills bootinfo. Prints one
// clear line and returns false if the initial task cannot be started.
[[nodiscard]] bool boot_root(const struct boot_facts *facts);

// Writes the chunks of extra bootinfo (BOOT-16) to cleared memory; null: writes nothing. Returns
// their size.
uint64_t boot_info_write_extra(const struct boot_facts *facts, void *memory);
