// SPDX-License-Identifier: BSD-2-Clause
// Both multiboot formats, read field by field with a bound on everything.
#include <entry/multiboot.h>

enum information1_flag {
	INFO1_COMMAND_LINE = 1 << 2,
	INFO1_MODULES = 1 << 3,
	INFO1_MEMORY_MAP = 1 << 6,
};

// Multiboot 1.
struct [[gnu::packed, gnu::may_alias]] information1 {
	uint32_t flags; // which fields are there
	uint32_t unused[3], command_line, module_count, modules;
	uint32_t symbols[4];
	uint32_t map_size, map;
};

enum { INFO1_MAX_MAP = 64 << 10, INFO1_MAX_MODULES = 256 };

// Multiboot 2: tags.
enum multiboot2_tag {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_VBE = 7,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14,
	TAG_RSDP = 15,
};

enum {
	TAG_HEADER = 8,
	INFO2_MAX = 1 << 20,
	MEMORY_ENTRY_REST = 20, // the size field of an entry does not count itself
	RSDP_OLD = 20, // bytes
	RSDP_REVISION = 15,
	VBE_BLOCKS = 512 + 256, // about the controller and about the mode
};

// The target is zero before; its last byte stays so. text may be null: it could not be read.
static void text_copy(char *target, uint64_t room, const void *text, uint64_t limit) {
	const char *from = text;

	for (uint64_t i = 0; from && i < limit && i + 1 < room && from[i]; i++)
		target[i] = from[i];
}

// Both formats have its start and end, of 32 bits, in a row.
static void module_add(
	struct boot_facts *facts, const uint8_t *range, const void *name, uint64_t limit) {
	struct bootinfo_module *module = &facts->modules[facts->module_count];
	uint64_t start = bytes_number(range, 0, 4), end = bytes_number(range, 4, 4);

	if (start >= end) return;
	if (facts->module_count == BOOT_MAX_MODULES) {
		facts->modules_lost++;
		return;
	}
	facts->module_count++;
	*module = (struct bootinfo_module){.paddr = start, .length = end - start};
	text_copy(module->name, sizeof(module->name), name, limit);
}

static void modules1_read(struct boot_facts *facts, uint64_t physical, uint64_t count) {
	uint64_t room = sizeof(facts->modules[0].name);

	for (uint64_t i = 0; i < count && i < INFO1_MAX_MODULES; i++) {
		const uint8_t *entry = facts->acpi.reader(physical + 16 * i, 16);

		if (!entry) return;
		module_add(facts, entry, facts->acpi.reader(bytes_number(entry, 8, 4), room), room);
	}
}

// Both formats have the same three numbers in a row.
static void memory_read(struct boot_facts *facts, const uint8_t *bytes) {
	struct boot_map *map = &facts->map;
	struct boot_map_entry entry = {MEMORY_ENTRY_REST, bytes_number(bytes, 0, 8),
		bytes_number(bytes, 8, 8), (uint32_t)bytes_number(bytes, 16, 4)};

	if (map->size < sizeof(map->entries)) {
		map->entries[map->size / sizeof(entry)] = entry;
		map->size += sizeof(entry);
	}
	memory_add(&facts->memory, entry.base, entry.length, entry.type);
}

static void memory1_read(struct boot_facts *facts, uint64_t physical, uint64_t size) {
	uint64_t at = 0;

	if (size > INFO1_MAX_MAP) size = INFO1_MAX_MAP;
	while (at + 4 + MEMORY_ENTRY_REST <= size) {
		const uint8_t *entry = facts->acpi.reader(physical + at, 4 + MEMORY_ENTRY_REST);

		if (!entry || bytes_number(entry, 0, 4) < MEMORY_ENTRY_REST) return;
		memory_read(facts, entry + 4);
		at += 4 + bytes_number(entry, 0, 4);
	}
}

static bool information1_read(struct boot_facts *facts, uint64_t physical) {
	const struct information1 *information = facts->acpi.reader(physical, sizeof(*information));
	uint64_t room = sizeof(facts->command_line);

	if (!information) return false;
	if (information->flags & INFO1_COMMAND_LINE)
		text_copy(facts->command_line, room,
			facts->acpi.reader(information->command_line, room), room);
	if (information->flags & INFO1_MODULES)
		modules1_read(facts, information->modules, information->module_count);
	if (information->flags & INFO1_MEMORY_MAP)
		memory1_read(facts, information->map, information->map_size);
	return true;
}

static void memory2_read(struct boot_facts *facts, const uint8_t *tag, uint32_t size) {
	uint64_t step = bytes_number(tag, 8, 4);

	if (step < MEMORY_ENTRY_REST) return;
	for (uint64_t at = 16; at + step <= size; at += step)
		memory_read(facts, tag + at);
}

static void vbe_read(struct boot_facts *facts, const uint8_t *tag) {
	memcpy(facts->vbe, tag + 16, VBE_BLOCKS);
	// Mode, interface segment, offset and length: 16-bit numbers there, 32-bit ones here.
	for (unsigned i = 0; i < 4; i++)
		memcpy(facts->vbe + VBE_BLOCKS + 4 * i, tag + TAG_HEADER + 2 * i, 2);
	facts->has_vbe = 1;
}

// Without the fields of a point where there are no points.
static void framebuffer_read(struct boot_facts *facts, const uint8_t *body, uint32_t length) {
	memcpy(facts->framebuffer, body, length < SCREEN_INFO ? length : SCREEN_INFO);
	facts->has_framebuffer = 1;
}

// A tag that is shorter than its type's contents counts as absent.
static void tag_read(struct boot_facts *facts, const uint8_t *tag, uint32_t size) {
	uint64_t type = bytes_number(tag, 0, 4);
	const uint8_t *body = tag + TAG_HEADER;
	uint32_t length = size - TAG_HEADER;

	if (type == TAG_COMMAND_LINE)
		text_copy(facts->command_line, sizeof(facts->command_line), body, length);
	else if (type == TAG_MODULE && size >= 16)
		module_add(facts, body, tag + 16, size - 16);
	else if (type == TAG_MEMORY_MAP && size >= 16)
		memory2_read(facts, tag, size);
	else if (type == TAG_VBE && size >= 16 + VBE_BLOCKS)
		vbe_read(facts, tag);
	else if (type == TAG_FRAMEBUFFER && length >= SCREEN_LAYOUT)
		framebuffer_read(facts, body, length);
	// The old form may come beside the new one, in any order.
	else if (type == TAG_RSDP_OLD && length >= RSDP_OLD && facts->rsdp[RSDP_REVISION] < 2)
		memcpy(facts->rsdp, body, RSDP_OLD);
	else if (type == TAG_RSDP && length >= sizeof(facts->rsdp))
		memcpy(facts->rsdp, body, sizeof(facts->rsdp));
}

static bool information2_read(struct boot_facts *facts, uint64_t physical) {
	const uint8_t *information = facts->acpi.reader(physical, 8);
	uint64_t total = information ? bytes_number(information, 0, 4) : 0;
	uint32_t size;

	information = total <= INFO2_MAX ? facts->acpi.reader(physical, total) : NULL;
	for (uint64_t at = 8; information && at + TAG_HEADER <= total; at += align_up(size, 8)) {
		size = (uint32_t)bytes_number(information + at, 4, 4);
		if (size < TAG_HEADER || size > total - at) return false;
		if (bytes_number(information + at, 0, 4) == TAG_END) return true;
		tag_read(facts, information + at, size);
	}
	return false;
}

bool multiboot_read(struct boot_facts *facts, uint32_t magic, uint64_t information) {
	if (magic == MULTIBOOT1_LOADER) return information1_read(facts, information);
	return magic == MULTIBOOT2_LOADER && information2_read(facts, information);
}
