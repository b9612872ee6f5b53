// SPDX-License-Identifier: BSD-2-Clause
// Extra bootinfo: information of the boot loader and the machine, as chunks for the initial task.
#include <base/memory.h>
#include <boot/boot.h>

enum { MAP_ENTRIES = 50 };

// Payload of BOOTINFO_MEMORY_MAP: the first entries.
struct [[gnu::packed]] memory_map {
	uint32_t length; // bytes of valid entries
	struct boot_memory memory[MAP_ENTRIES];
};

// An entry of BOOTINFO_MODULES: chunks follow each other without padding.
typedef struct bootinfo_module module __attribute__((aligned(1)));

// Payloads start as copies of the facts.
_Static_assert(sizeof(struct boot_memory) == 24);
_Static_assert(sizeof(struct memory_map) + sizeof(struct bootinfo_chunk) == 1220);
_Static_assert(offsetof(struct boot_facts, memory) - offsetof(struct boot_facts, memory_count) ==
	offsetof(struct memory_map, memory));
_Static_assert(sizeof(struct boot_module) == sizeof(module));
_Static_assert(offsetof(struct boot_module, name) == offsetof(module, name));

struct extra {
	uint8_t *memory; // null: only the size is computed
	uint64_t size;
};

// Appends a chunk and returns its copy of the payload, or null.
static void *chunk_append(
	struct extra *extra, enum bootinfo_chunk_id id, const void *payload, uint64_t size) {
	struct bootinfo_chunk chunk = {.id = id, .length = sizeof(chunk) + size};
	uint8_t *start = extra->memory ? extra->memory + extra->size : NULL;

	extra->size += chunk.length;
	if (!start) return NULL;
	memcpy(start, &chunk, sizeof(chunk));
	return memcpy(start + sizeof(chunk), payload, size);
}

uint64_t boot_info_write_extra(const struct boot_facts *facts, void *memory) {
	struct extra extra = {.memory = memory};
	unsigned count = facts->module_count > 1 ? facts->module_count - 1 : 0;
	struct memory_map *map;
	module *modules = NULL;

	if (facts->has_vbe) chunk_append(&extra, BOOTINFO_VBE, facts->vbe, sizeof(facts->vbe));
	chunk_append(&extra, BOOTINFO_ACPI_RSDP, facts->rsdp, sizeof(facts->rsdp));
	if (facts->has_framebuffer)
		chunk_append(&extra, BOOTINFO_FRAMEBUFFER, facts->framebuffer,
			sizeof(facts->framebuffer));
	map = chunk_append(&extra, BOOTINFO_MEMORY_MAP, &facts->memory_count, sizeof(*map));
	if (map)
		map->length = (uint32_t)sizeof(struct boot_memory) *
			(facts->memory_count < MAP_ENTRIES ? facts->memory_count : MAP_ENTRIES);
	chunk_append(&extra, BOOTINFO_TSC_FREQUENCY, &facts->tsc_mhz, sizeof(facts->tsc_mhz));
	chunk_append(&extra, BOOTINFO_TSC_RATE, &facts->tsc_hertz, sizeof(facts->tsc_hertz));
	if (count > 0)
		modules = chunk_append(
			&extra, BOOTINFO_MODULES, &facts->modules[1], count * sizeof(module));
	for (unsigned i = 0; modules && i < count; i++) {
		modules[i].length -= modules[i].paddr; // a boot_module has its end there
		modules[i].name[sizeof(modules[i].name) - 1] = '\0';
	}
	return extra.size;
}
