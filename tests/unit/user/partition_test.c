// SPDX-License-Identifier: BSD-2-Clause
// The partition service: tables of disks, whole and damaged; settings.
#include "test.h"

#include <services/partition/choice.h>
#include <services/partition/crc32.h>
#include <services/partition/table.h>

#include <stdlib.h>
#include <string.h>

enum {
	SECTORS = 4096,
	ENTRIES = 128,
	ENTRY = 128,
	ENTRIES_SECTORS = ENTRIES * ENTRY / 512,
	COPY = SECTORS - 1, // sector of the second header
	COPY_ENTRIES = COPY - ENTRIES_SECTORS,
	FIRST = 34, // sectors that partitions may have
	LAST = COPY_ENTRIES - 1,
	// Offsets in a header.
	HEADER_CRC = 16,
	HEADER_BYTES = 92,
};

static uint8_t *medium; // of the exact size
static struct table table;
static unsigned reads;

static const uint8_t linux_root[GUID_BYTES] = {0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96,
	0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09};

static uint8_t *sector_at(uint64_t sector) { return medium + sector * 512; }

static void put(uint8_t *place, uint64_t value, unsigned bytes) { memcpy(place, &value, bytes); }

static void fresh(void) {
	free(medium);
	medium = calloc(SECTORS, 512);
}

static void put_mbr(uint64_t sector, unsigned index, uint8_t type, uint32_t first, uint32_t count) {
	uint8_t *entry = sector_at(sector) + 446 + 16 * index;

	entry[4] = type;
	put(entry + 8, first, 4);
	put(entry + 12, count, 4);
	put(sector_at(sector) + 510, 0xaa55, 2);
}

// The header's own checksum, after a change.
static void seal(uint8_t *header) {
	put(header + HEADER_CRC, 0, 4);
	put(header + HEADER_CRC, crc32(0, header, HEADER_BYTES), 4);
}

static void put_header(uint64_t here, uint64_t other, uint64_t entries) {
	uint8_t *header = sector_at(here);

	memcpy(header, "EFI PART", 8);
	put(header + 8, 0x10000, 4);
	put(header + 12, HEADER_BYTES, 4);
	put(header + 24, here, 8);
	put(header + 32, other, 8);
	put(header + 40, FIRST, 8);
	put(header + 48, LAST, 8);
	put(header + 72, entries, 8);
	put(header + 80, ENTRIES, 4);
	put(header + 84, ENTRY, 4);
	put(header + 88, crc32(0, sector_at(entries), ENTRIES * ENTRY), 4);
	seal(header);
}

static void seal_all(void) {
	memcpy(sector_at(COPY_ENTRIES), sector_at(2), ENTRIES_SECTORS * 512);
	put_header(1, COPY, 2);
	put_header(COPY, 1, COPY_ENTRIES);
}

static void put_partition(unsigned index, uint64_t first, uint64_t last, const char *label) {
	uint8_t *entry = sector_at(2) + index * ENTRY;

	memcpy(entry, linux_root, GUID_BYTES);
	entry[0] = (uint8_t)(linux_root[0] + index); // a type each
	put(entry + 32, first, 8);
	put(entry + 40, last, 8);
	for (unsigned i = 0; i < TABLE_LABEL && label[i]; i++)
		put(entry + 56 + 2 * i, (uint8_t)label[i], 2);
}

static void gpt(void) {
	fresh();
	put_mbr(0, 0, 0xee, 1, SECTORS - 1);
	put_partition(0, 100, 199, "root");
	put_partition(1, FIRST, 99, "123456789012345678901234567890123456");
	put_partition(5, 200, LAST, "");
	seal_all();
}

static void read_with(const uint8_t *(*fetch)(uint64_t sector)) {
	table_begin(&table, SECTORS);
	for (reads = 0; table_wants(&table); reads++) {
		check(table.want + table.want_count <= SECTORS && table.want_count <= TABLE_MOST);
		check(reads < 100);
		if (reads == 100) return;
		table_feed(&table, fetch(table.want));
	}
}

static const uint8_t *fetch(uint64_t sector) { return sector_at(sector); }

static void read_table(void) { read_with(fetch); }

static bool has(unsigned index, uint32_t number, uint64_t first, uint64_t count) {
	const struct partition *found = &table.partitions[index];

	return index < table.count && found->number == number && found->first == first &&
		found->count == count;
}

static bool is_the_gpt(enum table_kind kind) {
	return table.state == TABLE_DONE && table.kind == kind && table.count == 3 &&
		has(0, 1, 100, 100) && has(1, 2, FIRST, 66) && has(2, 6, 200, LAST - 199);
}

static void reads_gpt(void) {
	check(crc32(0, (const uint8_t *)"123456789", 9) == 0xcbf43926); // ISO 3309's check value
	gpt();
	read_table();
	check(is_the_gpt(TABLE_IS_GPT) && reads == 3);
	check(strcmp(table.partitions[0].label, "root") == 0);
	check(strlen(table.partitions[1].label) == TABLE_LABEL);
	check(memcmp(table.partitions[0].type, linux_root, GUID_BYTES) == 0);
}

static void copy_is_taken(void) {
	static const unsigned places[] = {0, 12, HEADER_CRC, 24, 40, 72, 80, 84, 88};

	for (size_t i = 0; i < array_count(places); i++) {
		gpt();
		sector_at(1)[places[i]] ^= 0xff;
		read_table();
		check(is_the_gpt(TABLE_IS_GPT_COPY));
		sector_at(COPY)[places[i]] ^= 0xff;
		read_table();
		check(table.state == TABLE_FAILED && table.count == 0);
	}
	gpt();
	sector_at(2)[500] ^= 1; // an entry
	read_table();
	check(is_the_gpt(TABLE_IS_GPT_COPY));
	sector_at(COPY_ENTRIES)[500] ^= 1;
	read_table();
	check(table.state == TABLE_FAILED && table.count == 0);
}

// With right checksums what is said must be possible all the same.
static void impossible_headers(void) {
	static const struct {
		unsigned offset;
		unsigned bytes;
		uint64_t value;
	} rows[] = {
		{12, 4, 91},
		{12, 4, 513},
		{24, 8, 2},
		{40, 8, LAST + 1},
		{48, 8, SECTORS},
		{48, 8, UINT64_MAX},
		{72, 8, SECTORS},
		{72, 8, UINT64_MAX},
		{80, 4, 0},
		{80, 4, UINT32_MAX},
		{84, 4, 0},
		{84, 4, 120},
		{84, 4, 132},
		{84, 4, UINT32_MAX - 7},
	};

	for (size_t i = 0; i < array_count(rows); i++) {
		gpt();
		put(sector_at(1) + rows[i].offset, rows[i].value, rows[i].bytes);
		seal(sector_at(1));
		read_table();
		check(is_the_gpt(TABLE_IS_GPT_COPY));
	}
}

static void impossible_entries(void) {
	gpt();
	put_partition(6, FIRST - 1, 200, "early");
	put_partition(7, 300, LAST + 1, "late");
	put_partition(8, 301, 300, "backwards");
	put_partition(9, 300, UINT64_MAX, "endless");
	seal_all();
	read_table();
	check(is_the_gpt(TABLE_IS_GPT));
	put_partition(6, 150, 250, "over two");
	seal_all();
	read_table();
	check(table.count == 4 && !table_is_apart(&table, &table.partitions[0]));
	check(table_is_apart(&table, &table.partitions[1]));
	check(!table_is_apart(&table, &table.partitions[3]));
}

static const uint8_t *fetch_no_header(uint64_t sector) {
	return sector == 1 ? NULL : sector_at(sector);
}

static const uint8_t *fetch_none(uint64_t) { return NULL; }

static void unreadable(void) {
	gpt();
	read_with(fetch_no_header);
	check(is_the_gpt(TABLE_IS_GPT_COPY));
	read_with(fetch_none);
	check(table.state == TABLE_FAILED && reads == 1);
	table_begin(&table, 0);
	check(!table_wants(&table));
	gpt();
	table_begin(&table, 1); // no room for a header
	table_feed(&table, sector_at(0));
	check(table.state == TABLE_FAILED);
}

static void reads_mbr(void) {
	fresh();
	read_table();
	check(table.state == TABLE_DONE && table.kind == TABLE_NONE && table.count == 0);
	put_mbr(0, 0, 0x83, 100, 50);
	put_mbr(0, 1, 0x82, SECTORS - 1, 2); // ends behind the disk
	put_mbr(0, 2, 0x0f, 1000, 1000);
	put_mbr(0, 3, 0x07, 200, 10);
	put_mbr(1000, 0, 0x83, 10, 100);
	put_mbr(1000, 1, 0x05, 500, 300);
	put_mbr(1500, 0, 0x0b, 1, 20);
	put_mbr(1500, 1, 0x05, 600, 300);
	put_mbr(1600, 0, 0x83, 1, 400); // ends behind the extended partition
	read_table();
	check(table.kind == TABLE_IS_MBR && table.count == 4);
	check(has(0, 1, 100, 50) && has(1, 4, 200, 10));
	check(has(2, 5, 1010, 100) && has(3, 6, 1501, 20) && table.partitions[3].mbr_type == 0x0b);
	put_mbr(1500, 1, 0x05, 500, 300); // a loop
	read_table();
	check(table.state == TABLE_DONE && table.count > 4);
	put_mbr(1500, 1, 0x05, 1000, 300); // out of the extended partition
	read_table();
	check(table.state == TABLE_DONE && table.count == 4);
	put_mbr(0, 2, 0x0f, SECTORS, 10); // itself not on the disk
	read_table();
	check(table.state == TABLE_FAILED);
}

static struct choice choices[BLOCK_CLIENTS];

static unsigned choose(const char *text) {
	struct settings settings = settings_of((uint64_t)text, strlen(text));

	memset(choices, 0, sizeof(choices));
	return choices_read(choices, &settings);
}

static bool finds(unsigned client, uint64_t first, uint64_t count) {
	uint64_t found_first;
	uint64_t found_count;

	return choice_find(&choices[client], &table, &found_first, &found_count) == CHOICE_OK &&
		found_first == first && found_count == count;
}

static enum choice_status status_of(unsigned client) {
	uint64_t first;
	uint64_t count;

	return choice_find(&choices[client], &table, &first, &count);
}

static void chosen(void) {
	gpt();
	read_table();
	check(choose("# what\nclient 0 label=root\nclient 1 number=2 read-only\n"
		     "client 2 type=4F68BCE8-e8cd-4db1-96e7-fbcaf984b709\n"
		     "client 3 range=10+0x20") == 0);
	check(finds(0, 100, 100) && !choices[0].read_only);
	check(finds(1, FIRST, 66) && choices[1].read_only);
	check(finds(2, 200, LAST - 199) && finds(3, 10, 0x20));
	check(choose("client 0 range=4095+1\nclient 1 range=4095+2\n"
		     "client 2 range=18446744073709551615+1\nclient 3 label=roo") == 0);
	check(finds(0, 4095, 1) && status_of(1) == CHOICE_OUTSIDE);
	check(status_of(2) == CHOICE_OUTSIDE && status_of(3) == CHOICE_NOT_THERE);
	check(choose("client 0 type=83\nclient 1 number=3") == 0);
	check(status_of(0) == CHOICE_NOT_THERE && status_of(1) == CHOICE_NOT_THERE);
	check(status_of(2) == CHOICE_NOT_MADE);
	put_partition(6, 150, 250, "root");
	seal_all();
	read_table();
	check(choose("client 0 label=root\nclient 1 number=1\nclient 2 number=2") == 0);
	check(status_of(0) == CHOICE_AMBIGUOUS && status_of(1) == CHOICE_OVERLAPS);
	check(finds(2, FIRST, 66));
	sector_at(1)[0] = sector_at(COPY)[0] = 0;
	read_table();
	check(status_of(2) == CHOICE_NO_TABLE);
	fresh();
	put_mbr(0, 1, 0x83, 100, 50);
	read_table();
	check(choose("client 0 type=0x83\nclient 1 label=root\nclient 2 number=2") == 0);
	check(finds(0, 100, 50) && status_of(1) == CHOICE_NOT_THERE && finds(2, 100, 50));
}

static void wrong_settings(void) {
	static const char *const lines[] = {"client 4 number=1", "client x number=1", "client 0",
		"number=1 client 0", "client 0 number=", "client 0 label=", "client 0 range=5",
		"client 0 range=5+0", "client 0 range=+5", "client 0 type=100", "client 0 type=0",
		"client 0 type=4f68bce3-e8cd-4db1-96e7-fbcaf984b70",
		"client 0 type=4f68bce3-e8cd-4db1-96e7fbcaf984b709",
		"client 0 type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709-1",
		"client 0 type=4f68bce3-e8cd-4db1-0x0x-fbcaf984b709", "client 0 number=1 writable",
		"client 0 number=1 read-only more"};

	for (size_t i = 0; i < array_count(lines); i++) {
		char text[200] = "client 1 number=1\n";

		strcat(text, lines[i]);
		check(choose(text) == 2 && choices[0].kind == CHOICE_NONE);
		check(choices[1].kind == CHOICE_NUMBER);
	}
	check(choose("client 0 number=1\nclient 0 number=2") == 2); // which of them?
}

static const struct test rows[] = {
	{"user/partition/gpt", "partitions of a GPT have number, range, type and label", reads_gpt},
	{"user/partition/copy",
		"the copy counts where the first table is damaged, none if both are",
		copy_is_taken},
	{"user/partition/headers", "a header that cannot be is refused, its checksum right or not",
		impossible_headers},
	{"user/partition/entries",
		"partitions outside of the table's range are none, overlaps are seen",
		impossible_entries},
	{"user/partition/unreadable",
		"sectors that cannot be read and disks too small are survived", unreadable},
	{"user/partition/mbr", "an MBR's partitions, logical ones as well; chains end", reads_mbr},
	{"user/partition/choice", "clients get what the settings name: one partition, or a reason",
		chosen},
	{"user/partition/settings", "wrong lines are refused", wrong_settings},
};

const struct tests partition_tests = {rows, array_count(rows)};
