// SPDX-License-Identifier: BSD-2-Clause
// Names of code addresses, and which words on a stack may be return addresses.
#include "test.h"

#include <root/symbols.h>
#include <string.h>

// An image with one domain: code at 0x200000, its symbols at 64 and names after them.
static struct {
	struct system_header header;
	struct system_domain domain;
	struct system_segment segments[2];
	_Alignas(64) struct system_symbol symbols[2];
	char names[8];
	uint8_t code[64];
} file;

static struct image make_image(void) {
	file.header.tables[SYSTEM_DOMAINS].count = 1;
	file.header.tables[SYSTEM_SEGMENTS].count = 2;
	file.domain.symbols_offset = (uint64_t)((char *)file.symbols - (char *)&file);
	file.domain.symbol_count = 2;
	file.domain.names_size = sizeof(file.names);
	file.symbols[0] = (struct system_symbol){0x200008, 8, 0};
	file.symbols[1] = (struct system_symbol){0x200020, 8, 4};
	memcpy(file.names, "one\0two", 8);
	memset(file.code, 0x90, sizeof(file.code));
	for (uint32_t i = 0; i < 2; i++)
		file.segments[i] = (struct system_segment){
			.domain = 0,
			.access = i == 0 ? SYSTEM_READ | SYSTEM_EXECUTE : SYSTEM_READ,
			.vaddr = i == 0 ? 0x200000 : 0x300000,
			.memory_size = sizeof(file.code),
			.data_offset = (uint64_t)((char *)file.code - (char *)&file),
			.data_size = sizeof(file.code),
		};
	return (struct image){
		.bytes = (const uint8_t *)&file,
		.header = &file.header,
		.domains = &file.domain,
		.segments = file.segments,
	};
}

static void names(void) {
	struct image image = make_image();
	struct place place;

	check(!symbols_find(&image, 0, 0x200000, &place));
	check(symbols_find(&image, 0, 0x200008, &place));
	check(strcmp(place.function, "one") == 0 && place.offset == 0);
	check(symbols_find(&image, 0, 0x20001f, &place) && place.offset == 0x17);
	check(symbols_find(&image, 0, 0x20003f, &place) && strcmp(place.function, "two") == 0);
	check(!symbols_find(&image, 0, 0x200040, &place));
	check(!symbols_find(&image, 0, 0x300008, &place));
	check(!symbols_find(&image, 0, ~0ul, &place));
}

static void calls(void) {
	static const uint8_t indirect[] = {0xff, 0x15, 1, 2, 3, 4};
	struct image image = make_image();

	check(!symbols_follow_call(&image, 0, 0x200010));
	file.code[0x0b] = 0xe8;
	check(symbols_follow_call(&image, 0, 0x200010));
	check(!symbols_follow_call(&image, 0, 0x200011));
	memcpy(&file.code[0x20], indirect, sizeof(indirect));
	check(symbols_follow_call(&image, 0, 0x200026));
	file.code[0x21] = 0x25;
	check(!symbols_follow_call(&image, 0, 0x200026));
	file.code[0x30] = 0xff;
	file.code[0x31] = 0xd0;
	check(symbols_follow_call(&image, 0, 0x200032));
	file.code[0] = 0xd0;
	check(!symbols_follow_call(&image, 0, 0x200000));
	check(!symbols_follow_call(&image, 0, 0x200001));
	check(!symbols_follow_call(&image, 0, 0x300010));
	check(!symbols_follow_call(&image, 0, ~0ul));
}

static const struct test rows[] = {
	{"user/symbols/names", "an address has the name of the function around it", names},
	{"user/symbols/calls", "a return address follows a call instruction", calls},
};

const struct tests symbols_tests = {rows, array_count(rows)};
