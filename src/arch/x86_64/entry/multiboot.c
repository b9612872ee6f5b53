// SPDX-License-Identifier: BSD-2-Clause
// Both multiboot formats, read field by field with a bound on everything; and a search in the
// memory map that comes of them.
#include <entry/multiboot.h>

#include <base/bits.h>
#include <base/compiler.h>
#include <base/memory.h>

// Multiboot 1: flags that say which fields are there, and the offsets of the fields.
enum {
	INFO1_SIZE = 116,
	INFO1_COMMAND_LINE = 1 << 2,
	INFO1_MODULES = 1 << 3,
	INFO1_MEMORY_MAP = 1 << 6,
	INFO1_MAX_MAP = 64 << 10,
};

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
	RSDP_REVISION = 15,
	VBE_BLOCKS = 512 + 256, // about the controller and about the mode
};

#define PAGE_SIZE 4096ul
#define ROOM_LOWEST (1ul << 20)
#define ROOM_HIGHEST (1ul << 32)

// Targets of texts are zero before; their last byte stays so.

static void text_copy(char *target, uint64_t room, const char *text, uint64_t limit) {
	for (uint64_t i = 0; i < limit && i + 1 < room && text[i]; i++)
		target[i] = text[i];
}

// A string somewhere in memory: its length is unknown, so it is read a byte at a time.
static void text_read(struct multiboot *loader, char *target, uint64_t room, uint64_t physical) {
	for (uint64_t i = 0; i + 1 < room; i++) {
		const char *character = loader->reader(physical + i, 1);

		if (!character || !*character) return;
		target[i] = *character;
	}
}

static void memory_add(struct multiboot *loader, uint64_t base, uint64_t length, uint32_t type) {
	struct boot_facts *facts = loader->facts;
	struct boot_memory *last = NULL;

	if (facts->memory_count > 0) last = &facts->memory[facts->memory_count - 1];
	if (length == 0 || base + length < base) return;
	if (last && last->type == type && last->base + last->length == base) {
		last->length += length;
		return;
	}
	if (facts->memory_count < BOOT_MEMORY_MAP_ENTRIES) {
		last = &facts->memory[facts->memory_count++];
	} else {
		// RAM is worth more than a hole, which nobody may use anyway.
		loader->is_truncated = true;
		if (type != MEMORY_RAM || last->type == MEMORY_RAM) return;
	}
	*last = (struct boot_memory){MEMORY_ENTRY_REST, base, length, type};
}

static struct boot_module *module_add(struct multiboot *loader, uint64_t start, uint64_t end) {
	struct boot_facts *facts = loader->facts;

	if (start >= end) return NULL;
	if (facts->module_count == BOOT_MAX_MODULES) {
		loader->is_truncated = true;
		return NULL;
	}
	facts->modules[facts->module_count] = (struct boot_module){.start = start, .end = end};
	return &facts->modules[facts->module_count++];
}

static void modules1_read(struct multiboot *loader, uint64_t physical, uint64_t count) {
	for (uint64_t i = 0; i < count && i < 2 * BOOT_MAX_MODULES; i++) {
		const uint8_t *entry = loader->reader(physical + 16 * i, 16);
		struct boot_module *module;

		if (!entry) return;
		module = module_add(loader, bytes_number(entry, 0, 4), bytes_number(entry, 4, 4));
		if (module && bytes_number(entry, 8, 4))
			text_read(loader, module->name, sizeof(module->name),
				bytes_number(entry, 8, 4));
	}
}

static void memory1_read(struct multiboot *loader, uint64_t physical, uint64_t size) {
	uint64_t at = 0;

	if (size > INFO1_MAX_MAP) size = INFO1_MAX_MAP;
	while (at + 4 + MEMORY_ENTRY_REST <= size) {
		const uint8_t *entry = loader->reader(physical + at, 4 + MEMORY_ENTRY_REST);

		if (!entry || bytes_number(entry, 0, 4) < MEMORY_ENTRY_REST) return;
		memory_add(loader, bytes_number(entry, 4, 8), bytes_number(entry, 12, 8),
			(uint32_t)bytes_number(entry, 20, 4));
		at += 4 + bytes_number(entry, 0, 4);
	}
}

static bool information1_read(struct multiboot *loader, uint64_t physical) {
	const uint8_t *information = loader->reader(physical, INFO1_SIZE);
	uint64_t flags;

	if (!information) return false;
	flags = bytes_number(information, 0, 4);
	if (flags & INFO1_COMMAND_LINE)
		text_read(loader, loader->command_line, MULTIBOOT_COMMAND_LINE,
			bytes_number(information, 16, 4));
	if (flags & INFO1_MODULES)
		modules1_read(
			loader, bytes_number(information, 24, 4), bytes_number(information, 20, 4));
	if (flags & INFO1_MEMORY_MAP)
		memory1_read(
			loader, bytes_number(information, 48, 4), bytes_number(information, 44, 4));
	return true;
}

// Readers of tags: tag has size bytes, at least the row's minimum.

static void tag_command_line(struct multiboot *loader, const uint8_t *tag, uint32_t size) {
	text_copy(loader->command_line, MULTIBOOT_COMMAND_LINE, (const char *)tag + TAG_HEADER,
		size - TAG_HEADER);
}

static void tag_module(struct multiboot *loader, const uint8_t *tag, uint32_t size) {
	struct boot_module *module = module_add(
		loader, bytes_number(tag, 8, 4), bytes_number(tag, 12, 4));

	if (module)
		text_copy(module->name, sizeof(module->name), (const char *)tag + 16, size - 16);
}

static void tag_memory_map(struct multiboot *loader, const uint8_t *tag, uint32_t size) {
	uint64_t step = bytes_number(tag, 8, 4);

	if (step < MEMORY_ENTRY_REST) return;
	for (uint64_t at = 16; at + step <= size; at += step)
		memory_add(loader, bytes_number(tag + at, 0, 8), bytes_number(tag + at, 8, 8),
			(uint32_t)bytes_number(tag + at, 16, 4));
}

static void tag_vbe(struct multiboot *loader, const uint8_t *tag, uint32_t) {
	uint8_t *vbe = loader->facts->vbe;

	memcpy(vbe, tag + 16, VBE_BLOCKS);
	// Mode, interface segment, offset and length: 16-bit numbers there, 32-bit ones here.
	for (unsigned i = 0; i < 4; i++)
		memcpy(vbe + VBE_BLOCKS + 4 * i, tag + TAG_HEADER + 2 * i, 2);
	loader->facts->has_vbe = 1;
}

static void tag_framebuffer(struct multiboot *loader, const uint8_t *tag, uint32_t) {
	memcpy(loader->facts->framebuffer, tag + TAG_HEADER, sizeof(loader->facts->framebuffer));
	loader->facts->has_framebuffer = 1;
}

static void tag_rsdp(struct multiboot *loader, const uint8_t *tag, uint32_t size) {
	uint64_t length = size - TAG_HEADER;

	// The old form may come beside the new one, in any order.
	if (loader->facts->rsdp[RSDP_REVISION] >= 2 && length < sizeof(loader->facts->rsdp)) return;
	if (length > sizeof(loader->facts->rsdp)) length = sizeof(loader->facts->rsdp);
	memcpy(loader->facts->rsdp, tag + TAG_HEADER, length);
}

static const struct {
	uint32_t type;
	uint32_t minimum;
	void (*read)(struct multiboot *loader, const uint8_t *tag, uint32_t size);
} tag_rows[] = {
	{TAG_COMMAND_LINE, TAG_HEADER, tag_command_line},
	{TAG_MODULE, 16, tag_module},
	{TAG_MEMORY_MAP, 16, tag_memory_map},
	{TAG_VBE, 16 + VBE_BLOCKS, tag_vbe},
	{TAG_FRAMEBUFFER, TAG_HEADER + 22, tag_framebuffer},
	{TAG_RSDP_OLD, TAG_HEADER + 20, tag_rsdp},
	{TAG_RSDP, TAG_HEADER + 36, tag_rsdp},
};

static void tag_read(struct multiboot *loader, const uint8_t *tag, uint32_t size) {
	for (unsigned i = 0; i < array_count(tag_rows); i++) {
		if (tag_rows[i].type == bytes_number(tag, 0, 4) && size >= tag_rows[i].minimum)
			tag_rows[i].read(loader, tag, size);
	}
}

static bool information2_read(struct multiboot *loader, uint64_t physical) {
	const uint8_t *information = loader->reader(physical, 8);
	uint64_t total = information ? bytes_number(information, 0, 4) : 0;
	uint32_t size;

	information = total <= INFO2_MAX ? loader->reader(physical, total) : NULL;
	for (uint64_t at = 8; information && at + TAG_HEADER <= total; at += align_up(size, 8)) {
		size = (uint32_t)bytes_number(information + at, 4, 4);
		if (size < TAG_HEADER || size > total - at) return false;
		if (bytes_number(information + at, 0, 4) == TAG_END) return true;
		tag_read(loader, information + at, size);
	}
	return false;
}

bool multiboot_read(struct multiboot *loader, uint32_t magic, uint64_t information) {
	if (magic == MULTIBOOT1_LOADER) return information1_read(loader, information);
	return magic == MULTIBOOT2_LOADER && information2_read(loader, information);
}

const char *multiboot_option(const char *command_line, const char *name) {
	const char *at = command_line;

	while (*at) {
		uint64_t length = 0;

		while (*at == ' ')
			at++;
		while (name[length] && at[length] == name[length])
			length++;
		if (!name[length] && at[length] == '=') return at + length + 1;
		while (*at && *at != ' ')
			at++;
	}
	return NULL;
}

// The end of a range in use that overlaps [start, end), or 0.
static uint64_t overlap_end(const struct boot_facts *facts, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < facts->reserved_count; i++) {
		if (start < facts->reserved[i].end && facts->reserved[i].start < end)
			return facts->reserved[i].end;
	}
	for (unsigned i = 0; i < facts->module_count; i++) {
		if (start < facts->modules[i].end && facts->modules[i].start < end)
			return facts->modules[i].end;
	}
	// Entries of other types win where a firmware's map overlaps itself.
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		uint64_t memory_end = memory->base + memory->length;

		if (memory->type != MEMORY_RAM && start < memory_end && memory->base < end)
			return memory_end;
	}
	return 0;
}

uint64_t multiboot_room(const struct boot_facts *facts, uint64_t size) {
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		uint64_t end = memory->base + memory->length;
		uint64_t next = memory->base < ROOM_LOWEST ? ROOM_LOWEST : memory->base;

		if (memory->type != MEMORY_RAM) continue;
		end = end > ROOM_HIGHEST ? ROOM_HIGHEST : end;
		while (align_up(next, PAGE_SIZE) + size <= end) {
			uint64_t start = align_up(next, PAGE_SIZE);

			next = overlap_end(facts, start, start + size);
			if (!next) return start;
		}
	}
	return 0;
}
