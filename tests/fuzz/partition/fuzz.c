// SPDX-License-Identifier: BSD-2-Clause
// Feeds the reader of partition tables with whatever a disk may hold, by the entry of libFuzzer,
// which AFL++ understands, too. Without them main.c makes the inputs.
#include "fuzz.h"

#include <base/bits.h>

#include <services/partition/choice.h>
#include <services/partition/crc32.h>
#include <services/partition/table.h>

#include <stdlib.h>
#include <string.h>

enum {
	STEPS_MOST = 80, // a chain of 64 links, and the rest
	SETTINGS = 64, // bytes at the input's end that are settings
	HEADER_SIZE_AT = 12,
	HEADER_CRC_AT = 16,
	HEADER_HERE_AT = 24,
	HEADER_ENTRIES_AT = 72,
	HEADER_COUNT_AT = 80,
	HEADER_ENTRY_AT = 84,
	HEADER_ENTRIES_CRC_AT = 88,
};

struct input {
	const uint8_t *bytes;
	size_t size;
	bool repairs; // checksums are made right, so that what is behind them is reached
};

static uint8_t sectors[TABLE_MOST * TABLE_SECTOR];

static void must(bool holds) {
	if (!holds) abort();
}

// The disk is the input, over and over.
static void fetch(const struct input *input, uint64_t sector, uint32_t count, uint8_t *target) {
	for (uint64_t i = 0; i < (uint64_t)count * TABLE_SECTOR; i++)
		target[i] = input->bytes[(sector * TABLE_SECTOR + i) % input->size];
}

static void repair(const struct input *input, uint64_t here) {
	static uint8_t entries[TABLE_MOST * TABLE_SECTOR];
	uint64_t bytes = bytes_number(sectors, HEADER_COUNT_AT, 4) *
		bytes_number(sectors, HEADER_ENTRY_AT, 4);
	uint32_t length = (uint32_t)bytes_number(sectors, HEADER_SIZE_AT, 4);
	uint32_t crc;

	memcpy(sectors, "EFI PART", 8);
	memcpy(sectors + HEADER_HERE_AT, &here, sizeof(here));
	if (bytes <= sizeof(entries)) {
		fetch(input, bytes_number(sectors, HEADER_ENTRIES_AT, 8), TABLE_MOST, entries);
		crc = crc32(0, entries, bytes);
		memcpy(sectors + HEADER_ENTRIES_CRC_AT, &crc, sizeof(crc));
	}
	memset(sectors + HEADER_CRC_AT, 0, sizeof(crc));
	crc = crc32(0, sectors, length <= TABLE_SECTOR ? length : 0);
	memcpy(sectors + HEADER_CRC_AT, &crc, sizeof(crc));
}

static void check_table(const struct table *table) {
	must(table->count <= TABLE_PARTITIONS);
	for (unsigned i = 0; i < table->count; i++) {
		const struct partition *found = &table->partitions[i];

		must(found->count > 0 && found->first < table->sectors &&
			found->count <= table->sectors - found->first);
		must(memchr(found->label, 0, sizeof(found->label)));
		(void)table_is_apart(table, found);
	}
}

static void check_choices(const struct input *input, const struct table *table) {
	size_t size = input->size < SETTINGS ? input->size : SETTINGS;
	struct settings settings = settings_of((uint64_t)(input->bytes + input->size - size), size);
	struct choice choices[BLOCK_CLIENTS] = {0};

	(void)choices_read(choices, &settings);
	for (unsigned i = 0; i < BLOCK_CLIENTS; i++) {
		uint64_t first;
		uint64_t count;

		if (choice_find(&choices[i], table, &first, &count) != CHOICE_OK) continue;
		must(count > 0 && first < table->sectors && count <= table->sectors - first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	struct input input = {.bytes = bytes + 9, .size = size - 9};
	static struct table table;
	unsigned steps = 0;

	if (size <= 9) return 0;
	input.repairs = bytes[8] & 1;
	// Small disks more often than large ones.
	table_begin(&table, bytes_number(bytes, 0, 8) >> (bytes[8] >> 2));
	for (; table_wants(&table); steps++) {
		must(steps < STEPS_MOST && table.want_count > 0 && table.want_count <= TABLE_MOST);
		must(table.want < table.sectors && table.want_count <= table.sectors - table.want);
		fetch(&input, table.want, table.want_count, sectors);
		if (input.repairs && table.state == TABLE_MBR) {
			memcpy(sectors + 510, "\x55\xaa", 2);
			if (bytes[8] & 2) sectors[446 + 4] = 0xee;
		}
		if (input.repairs && table.state == TABLE_HEADER) repair(&input, table.want);
		table_feed(&table, sectors);
	}
	check_table(&table);
	check_choices(&input, &table);
	return 0;
}
