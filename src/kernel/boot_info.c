// SPDX-License-Identifier: BSD-2-Clause
// Extra bootinfo: what the boot loader and the machine said, as chunks for the initial task.
#include <kernel/boot_info.h>

#include <abi/bootinfo.h>
#include <base/memory.h>

// Payload of BOOTINFO_MEMORY_MAP.
struct [[gnu::packed]] memory_map {
	uint32_t length; // bytes of valid entries
	struct boot_memory memory[BOOT_MEMORY_MAP_ENTRIES];
};

_Static_assert(sizeof(struct boot_memory) == 24);
_Static_assert(sizeof(struct memory_map) + sizeof(struct bootinfo_chunk) == 1220);

static unsigned chunk_modules(const struct boot_facts *facts) {
	return facts->module_count > 1 ? facts->module_count - 1 : 0;
}

static uint64_t chunk_size(uint64_t payload, uint64_t present) {
	return present ? sizeof(struct bootinfo_chunk) + payload : 0;
}

uint64_t boot_info_extra_size(const struct boot_facts *facts) {
	uint64_t modules = chunk_modules(facts) * sizeof(struct bootinfo_module);

	return chunk_size(sizeof(facts->vbe), facts->has_vbe) + chunk_size(sizeof(facts->rsdp), 1) +
		chunk_size(sizeof(facts->framebuffer), facts->has_framebuffer) +
		chunk_size(sizeof(struct memory_map), 1) + chunk_size(sizeof(facts->tsc_mhz), 1) +
		chunk_size(modules, modules);
}

// Writes the header and returns where the payload goes; *memory moves behind the chunk.
static void *chunk_begin(uint8_t **memory, enum bootinfo_chunk_id id, uint64_t payload) {
	struct bootinfo_chunk chunk = {.id = id, .length = sizeof(chunk) + payload};
	uint8_t *start = *memory;

	// Chunks follow each other without padding, so none of this is aligned.
	memcpy(start, &chunk, sizeof(chunk));
	*memory += chunk.length;
	return start + sizeof(chunk);
}

static void chunk_write(
	uint8_t **memory, enum bootinfo_chunk_id id, const void *payload, uint64_t size) {
	memcpy(chunk_begin(memory, id, size), payload, size);
}

static void chunk_write_memory_map(uint8_t **memory, const struct boot_facts *facts) {
	struct memory_map *map = chunk_begin(memory, BOOTINFO_MEMORY_MAP, sizeof(*map));
	uint64_t length = facts->memory_count * sizeof(struct boot_memory);

	map->length = (uint32_t)length;
	memcpy(map->memory, facts->memory, length);
}

static void chunk_write_modules(uint8_t **memory, const struct boot_facts *facts) {
	unsigned count = chunk_modules(facts);
	uint8_t *entry = chunk_begin(
		memory, BOOTINFO_MODULES, count * sizeof(struct bootinfo_module));

	for (unsigned i = 1; i <= count; i++) {
		const struct boot_module *module = &facts->modules[i];
		struct bootinfo_module out = {
			.paddr = module->start, .length = module->end - module->start};

		_Static_assert(sizeof(out.name) == sizeof(module->name));
		memcpy(out.name, module->name, sizeof(out.name) - 1);
		memcpy(entry, &out, sizeof(out));
		entry += sizeof(out);
	}
}

void boot_info_write_extra(const struct boot_facts *facts, void *memory) {
	uint8_t *next = memory;

	if (facts->has_vbe) chunk_write(&next, BOOTINFO_VBE, facts->vbe, sizeof(facts->vbe));
	chunk_write(&next, BOOTINFO_ACPI_RSDP, facts->rsdp, sizeof(facts->rsdp));
	if (facts->has_framebuffer)
		chunk_write(&next, BOOTINFO_FRAMEBUFFER, facts->framebuffer,
			sizeof(facts->framebuffer));
	chunk_write_memory_map(&next, facts);
	chunk_write(&next, BOOTINFO_TSC_FREQUENCY, &facts->tsc_mhz, sizeof(facts->tsc_mhz));
	if (chunk_modules(facts) > 0) chunk_write_modules(&next, facts);
}
