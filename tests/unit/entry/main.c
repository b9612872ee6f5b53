// SPDX-License-Identifier: BSD-2-Clause
// Multiboot information of both kinds, whole and damaged, in a small memory of its own; and the
// search for boot memory.
#include "../check.h"

#include <base/compiler.h>
#include <base/panic.h>
#include <entry/multiboot.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY = 8192, // physical memory of the tests
	START = 0x100, // where the information begins
	DAMAGES = 20000,
};

static uint8_t memory[MEMORY];
static size_t used; // bytes of memory that hold information
static struct boot_facts facts;
static struct multiboot result;

void panic(const char *format, ...) {
	(void)format;
	abort();
}

// A copy, so that the address sanitizer sees every read beyond what was asked for.
static const void *read_memory(uint64_t physical, uint64_t size) {
	static void *copies[64];
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
	result = (struct multiboot){.reader = read_memory, .facts = &facts};
	return multiboot_read(&result, magic, information);
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
	check(strcmp(result.command_line, "serial=none log=a") == 0);
	check(facts.module_count == 1 && facts.modules[0].start == 0x200000);
	check(strcmp(facts.modules[0].name, "root.elf") == 0);
	check(facts.memory_count == 2 && facts.memory[1].length == 0x200000);
	check(memcmp(facts.rsdp, "RSD PTR new", 11) == 0);
	check(!result.is_truncated);
}

static void multiboot1_whole(void) {
	build1();
	check(read_all(MULTIBOOT1_LOADER));
	check(strcmp(result.command_line, "log=all") == 0);
	check(facts.module_count == 1 && strcmp(facts.modules[0].name, "root.elf") == 0);
	check(facts.memory_count == 2 && facts.memory[1].base == 0x100000);
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
		check(facts.memory_count <= BOOT_MEMORY_MAP_ENTRIES);
		check(facts.module_count <= BOOT_MAX_MODULES);
		check(memchr(result.command_line, 0, sizeof(result.command_line)));
		for (unsigned m = 0; m < facts.module_count; m++)
			check(memchr(facts.modules[m].name, 0, sizeof(facts.modules[m].name)));
	}
}

static void multiboot2_damaged(void) { multiboot_damaged(MULTIBOOT2_LOADER, build2); }

static void multiboot1_damaged(void) { multiboot_damaged(MULTIBOOT1_LOADER, build1); }

static void memory_crowded(void) {
	begin();
	put64(0);
	tag_begin(6, 8 + 100 * 24);
	put32(24);
	put32(0);
	for (uint64_t i = 0; i < 100; i++) {
		put64(i << 20);
		put64(0x1000);
		put64(i < 99 ? 2 : 1);
	}
	tag_begin(0, 0);
	put32(0);
	memcpy(memory + START, &(uint32_t){(uint32_t)(used - START)}, 4);
	check(read_all(MULTIBOOT2_LOADER));
	check(result.is_truncated && facts.memory_count == BOOT_MEMORY_MAP_ENTRIES);
	check(facts.memory[BOOT_MEMORY_MAP_ENTRIES - 1].type == 1);
}

static void option_values(void) {
	const char *line = "xserial=1 serial=0x2f8  log=all serial";

	check(multiboot_option(line, "serial") == line + 17);
	check(strcmp(multiboot_option(line, "log"), "all serial") == 0);
	check(!multiboot_option(line, "lo"));
	check(!multiboot_option("", "log"));
}

static void memory_search(void) {
	memset(&facts, 0, sizeof(facts));
	facts.memory_count = 3;
	facts.memory[0] = (struct boot_memory){20, 0, 0x9f000, 1};
	facts.memory[1] = (struct boot_memory){20, 0x100000, 0x300000, 1};
	facts.memory[2] = (struct boot_memory){20, 0x200000, 0x1000, 2}; // overlaps RAM
	facts.reserved_count = 1;
	facts.reserved[0] = (struct boot_region){0x100000, 0x180010};
	facts.module_count = 1;
	facts.modules[0] = (struct boot_module){.start = 0x190000, .end = 0x1ff000};
	check(multiboot_room(&facts, 0x1000) == 0x181000);
	check(multiboot_room(&facts, 0x10000) == 0x201000);
	check(multiboot_room(&facts, 0x1ff000) == 0x201000);
	check(!multiboot_room(&facts, 0x200000));
}

static const struct test tests[] = {
	{"multiboot2_whole", "tags of multiboot 2 become boot facts", multiboot2_whole},
	{"multiboot1_whole", "multiboot 1 information becomes boot facts", multiboot1_whole},
	{"multiboot_wrong", "an unknown magic and unreadable memory are refused", multiboot_wrong},
	{"multiboot2_damaged", "damaged tags are never read past their end", multiboot2_damaged},
	{"multiboot1_damaged", "damaged information 1 is harmless", multiboot1_damaged},
	{"memory_crowded", "RAM is kept where the memory map overflows", memory_crowded},
	{"option_values", "options are found as whole words", option_values},
	{"memory_search", "boot memory avoids all that is in use", memory_search},
};

int main(void) { return check_run(tests, array_count(tests)); }
