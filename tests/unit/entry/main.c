// SPDX-License-Identifier: BSD-2-Clause
// Multiboot information of both kinds, whole and damaged, in a small memory of its own.
#include "../check.h"

#include <base/compiler.h>
#include <entry/multiboot.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY = 64 << 10, // physical memory of the tests
	START = 0x100, // where the information begins
	DAMAGES = 20000,
};

static uint8_t memory[MEMORY];
static size_t used; // bytes of memory that hold information
static struct boot_facts facts;

// A copy, so that the address sanitizer sees every read beyond what was asked for.
static const void *read_memory(uint64_t physical, uint64_t size) {
	static void *copies[32768];
	static unsigned next;
	void **copy = &copies[next++ % array_count(copies)];

	if (size > MEMORY || physical > MEMORY - size) return NULL;
	free(*copy);
	*copy = malloc(size ? size : 1);
	memcpy(*copy, memory + physical, size);
	return *copy;
}

static void put(const void *bytes, size_t size) {
	memcpy(memory + used, bytes, size);
	used += size;
}

static void put32(uint32_t value) { put(&value, sizeof(value)); }

static void put64(uint64_t value) { put(&value, sizeof(value)); }

static bool read_at(uint32_t magic, uint64_t information) {
	memset(&facts, 0, sizeof(facts));
	facts.memory.limit = 1ul << 46;
	facts.acpi.reader = read_memory;
	return multiboot_read(&facts, magic, information);
}

static bool read_all(uint32_t magic) { return read_at(magic, START); }

static void begin(void) {
	memset(memory, 0, sizeof(memory));
	used = START;
}

static void tag_begin(uint32_t type, uint32_t payload) {
	used = (used + 7) & ~7ul;
	put32(type);
	put32(payload + 8);
}

static void build2(void) {
	uint32_t total;

	begin();
	put64(0);
	tag_begin(1, 17);
	put("serial=none log=a", 17);
	tag_begin(3, 8 + 9);
	put32(0x200000);
	put32(0x201000);
	put("root.elf", 9);
	tag_begin(6, 8 + 3 * 24);
	put32(24);
	put32(0);
	put64(0);
	put64(0x9f000);
	put64(1);
	put64(0x100000);
	put64(0x100000);
	put64(1);
	put64(0x200000);
	put64(0x100000);
	put64(1);
	tag_begin(14, 20);
	put("RSD PTR old.........", 20);
	tag_begin(15, 36);
	put("RSD PTR new.........................", 36);
	tag_begin(14, 20);
	put("RSD PTR old.........", 20);
	tag_begin(0, 0);
	total = (uint32_t)(used - START);
	memcpy(memory + START, &total, sizeof(total));
}

static void build1(void) {
	begin();
	put32(1 << 2 | 1 << 3 | 1 << 6);
	used += 12;
	put32(0x400); // command line
	put32(2); // modules
	put32(0x500);
	used += 16;
	put32(48); // memory map
	put32(0x600);
	used = 0x400;
	put("log=all", 8);
	used = 0x500;
	put32(0x300000);
	put32(0x301000);
	put32(0x520);
	put32(0);
	put32(0x400000);
	put32(0x400000); // empty: dropped
	put32(0x520);
	put32(0);
	put("root.elf", 9);
	used = 0x600;
	for (unsigned i = 0; i < 2; i++) {
		put32(20);
		put64(i ? 0x100000 : 0);
		put64(i ? 0x7f00000 : 0xa0000);
		put32(i ? 1 : 2);
	}
}

static void multiboot2_whole(void) {
	build2();
	check(read_all(MULTIBOOT2_LOADER));
	check(strcmp(facts.command_line, "serial=none log=a") == 0);
	check(facts.module_count == 1 && facts.modules[0].paddr == 0x200000);
	check(facts.modules[0].length == 0x1000);
	check(strcmp(facts.modules[0].name, "root.elf") == 0);
	check(facts.map.size == 3 * 24 && facts.map.entries[2].base == 0x200000);
	check(facts.map.entries[2].size == 20 && facts.map.entries[2].type == 1);
	check(facts.memory.ram.count == 2 && facts.memory.ram.regions[1].end == 0x300000);
	check(memcmp(facts.rsdp, "RSD PTR new", 11) == 0);
	check(facts.modules_lost == 0);
}

static bool map_end(void) {
	uint32_t total;

	tag_begin(0, 0);
	total = (uint32_t)(used - START);
	memcpy(memory + START, &total, sizeof(total));
	return read_all(MULTIBOOT2_LOADER);
}

// Of text there are no fields, whose bytes may be missing.
static void multiboot2_screen(void) {
	for (uint32_t size = SCREEN_LAYOUT - 1; size < SCREEN_INFO + 3; size++) {
		uint32_t taken = size < SCREEN_INFO ? size : SCREEN_INFO;

		begin();
		put64(0);
		tag_begin(8, size);
		memset(memory + used, 0x11, size);
		used += size;
		check(map_end() && facts.has_framebuffer == (size >= SCREEN_LAYOUT));
		if (!facts.has_framebuffer) continue;
		check(facts.framebuffer[taken - 1] == 0x11);
		check(taken == SCREEN_INFO || facts.framebuffer[taken] == 0);
	}
}

static void multiboot1_whole(void) {
	build1();
	check(read_all(MULTIBOOT1_LOADER));
	check(strcmp(facts.command_line, "log=all") == 0);
	check(facts.module_count == 1 && strcmp(facts.modules[0].name, "root.elf") == 0);
	check(facts.map.size == 2 * 24 && facts.map.entries[0].length == 0xa0000);
	check(facts.memory.ram.count == 1 && facts.memory.ram.regions[0].start == 0x100000);
	check(facts.memory.other.count == 1 && facts.memory.other.regions[0].end == 0xa0000);
	check(!facts.rsdp[0]);
}

static void multiboot_wrong(void) {
	build2();
	check(!read_all(0x12345678));
	check(!read_at(MULTIBOOT1_LOADER, MEMORY - 8));
	check(!read_at(MULTIBOOT2_LOADER, MEMORY - 4));
}

static void multiboot_damaged(uint32_t magic, void (*build)(void)) {
	for (unsigned i = 0; i < DAMAGES; i++) {
		build();
		for (int flips = 1 + rand() % 8; flips > 0; flips--)
			memory[START + (unsigned)rand() % 0x600] = (uint8_t)rand();
		(void)read_all(magic);
		check(facts.map.size <= sizeof(facts.map.entries));
		check(facts.module_count <= BOOT_MAX_MODULES);
		check(memchr(facts.command_line, 0, sizeof(facts.command_line)));
		for (unsigned m = 0; m < facts.module_count; m++)
			check(memchr(facts.modules[m].name, 0, sizeof(facts.modules[m].name)));
	}
}

static void multiboot2_damaged(void) { multiboot_damaged(MULTIBOOT2_LOADER, build2); }

static void multiboot1_damaged(void) { multiboot_damaged(MULTIBOOT1_LOADER, build1); }

// Tags of multiboot 2 around a memory map whose entries follow.
static void map_begin(unsigned entries) {
	begin();
	put64(0);
	tag_begin(6, 8 + entries * 24);
	put32(24);
	put32(0);
}

static void map_entry(uint64_t base, uint64_t length, uint32_t type) {
	put64(base);
	put64(length);
	put64(type);
}

static void memory_crowded(void) {
	enum { ALL = BOOT_MAP_ENTRIES + 500 };

	map_begin(ALL);
	for (uint64_t i = 0; i < ALL; i++)
		map_entry(i << 22, 0x1000, i % 2 ? 2 : 1);
	check(map_end() && facts.map.size == sizeof(facts.map.entries));
	check(facts.map.entries[BOOT_MAP_ENTRIES - 1].base == (BOOT_MAP_ENTRIES - 1) << 22);
	check(facts.memory.ram.count == ALL / 2 && facts.memory.other.count == ALL / 2);
}

static void modules_crowded(void) {
	begin();
	put64(0);
	for (unsigned i = 0; i < BOOT_MAX_MODULES + 3; i++) {
		tag_begin(3, 8 + 2);
		put32(0x200000 + i * 0x1000);
		put32(0x201000 + i * 0x1000);
		put("m", 2);
	}
	check(map_end() && facts.module_count == BOOT_MAX_MODULES && facts.modules_lost == 3);
	build1();
	memory[START + 20] = 20; // module count
	for (unsigned i = 0; i < 20; i++) {
		used = 0x800 + 16 * i;
		put32(0x300000);
		put32(0x301000);
		put64(0);
	}
	used = START + 24;
	put32(0x800);
	check(read_all(MULTIBOOT1_LOADER));
	check(facts.module_count == BOOT_MAX_MODULES && facts.modules_lost == 4);
}

static void line_build(uint32_t magic, unsigned length) {
	static char text[2 * BOOT_COMMAND_LINE];

	memset(text, 'a', length);
	text[length] = '\0';
	if (magic == MULTIBOOT1_LOADER) {
		build1();
		used = 0x2000;
		put(text, length + 1);
		used = START + 16;
		put32(0x2000);
		check(read_all(magic));
		return;
	}
	begin();
	put64(0);
	tag_begin(1, length + 1);
	put(text, length + 1);
	check(map_end());
}

static void line_long(void) {
	static const uint32_t magics[] = {MULTIBOOT1_LOADER, MULTIBOOT2_LOADER};

	for (unsigned i = 0; i < array_count(magics); i++) {
		line_build(magics[i], BOOT_COMMAND_LINE);
		check(strlen(facts.command_line) == BOOT_COMMAND_LINE);
		line_build(magics[i], BOOT_COMMAND_LINE + 100);
		check(strlen(facts.command_line) == BOOT_COMMAND_LINE + 1);
	}
	_Static_assert(BOOT_COMMAND_LINE >= 4096);
}

static const struct test tests[] = {
	{"multiboot2_whole", "tags of multiboot 2 become boot facts", multiboot2_whole},
	{"multiboot2_screen", "a screen is read as far as it is described", multiboot2_screen},
	{"multiboot1_whole", "multiboot 1 information becomes boot facts", multiboot1_whole},
	{"multiboot_wrong", "an unknown magic and unreadable memory are refused", multiboot_wrong},
	{"multiboot2_damaged", "damaged tags are never read past their end", multiboot2_damaged},
	{"multiboot1_damaged", "damaged information 1 is harmless", multiboot1_damaged},
	{"memory_crowded", "all ranges count, the first are listed for the task", memory_crowded},
	{"modules_crowded", "modules beyond the sixteenth are counted", modules_crowded},
	{"line_long", "a command line of 4 KiB is whole, a longer one is known to be cut",
		line_long},
};

int main(void) { return check_run(tests, array_count(tests)); }
