// SPDX-License-Identifier: BSD-2-Clause
// The partition table of a disk: GPT (UEFI 2.10, 5.3) or MBR (5.2). Pure: it says which sectors it
// wants to see next, and is given them. Nothing in a table is believed before it was checked.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	TABLE_SECTOR = 512,
	TABLE_PARTITIONS = 128,
	TABLE_LABEL = 36, // characters
	TABLE_MOST = 128, // sectors that are wanted at once
	GUID_BYTES = 16,
};

struct partition {
	uint32_t number; // as Linux counts them
	uint64_t first; // sector
	uint64_t count;
	bool is_gpt;
	uint8_t mbr_type;
	uint8_t type[GUID_BYTES]; // as on the disk
	char label[TABLE_LABEL + 1]; // characters that are not ASCII are `?`
};

enum table_state {
	TABLE_MBR, // what is wanted next
	TABLE_EXTENDED,
	TABLE_HEADER,
	TABLE_ENTRIES,
	TABLE_DONE,
	TABLE_FAILED,
};

enum table_kind {
	TABLE_NONE, // no table: there are no partitions
	TABLE_IS_MBR,
	TABLE_IS_GPT,
	TABLE_IS_GPT_COPY, // the first one is damaged
};

// What a GPT header says.
struct gpt_header {
	uint64_t first; // sectors that partitions may have
	uint64_t last;
	uint64_t entries;
	uint32_t count;
	uint32_t size; // of an entry
	uint32_t crc; // of the entries
};

struct table {
	uint64_t sectors; // of the disk
	enum table_state state;
	enum table_kind kind;
	uint64_t want; // first of the sectors that are wanted next
	uint32_t want_count;
	struct gpt_header header;
	uint64_t extended; // MBR: where the extended partition starts, and its sectors
	uint64_t extended_count;
	unsigned links; // of the chain in it that were followed
	unsigned count;
	struct partition partitions[TABLE_PARTITIONS];
};

// Begins with a disk of so many sectors.
void table_begin(struct table *table, uint64_t sectors);

// The sectors that were wanted; null when they could not be read. Afterwards the state says whether
// there is more to read.
void table_feed(struct table *table, const uint8_t *sectors);

[[nodiscard]] static inline bool table_wants(const struct table *table) {
	return table->state != TABLE_DONE && table->state != TABLE_FAILED;
}

// Whether the partition lies outside of all others.
[[nodiscard]] bool table_is_apart(const struct table *table, const struct partition *partition);
