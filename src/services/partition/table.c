// SPDX-License-Identifier: BSD-2-Clause
// Reads a partition table step by step: MBR first; where that protects a GPT, its header and
// entries, from the copy at the disk's end if the first are damaged.
#include <services/partition/table.h>

#include <base/bits.h>
#include <base/memory.h>

#include <services/partition/gpt.h>
#include <services/partition/mbr.h>

enum {
	GPT_FIRST = 1, // sector of the first header
	EXTENDED_LINKS = 64, // logical partitions; a longer chain is a loop
};

static void want(struct table *table, enum table_state state, uint64_t sector, uint64_t count) {
	if (!range_fits(sector, count, table->sectors) || count == 0 || count > TABLE_MOST) {
		table->state = TABLE_FAILED;
		return;
	}
	table->state = state;
	table->want = sector;
	table->want_count = (uint32_t)count;
}

void table_begin(struct table *table, uint64_t sectors) {
	memset(table, 0, sizeof(*table));
	table->sectors = sectors;
	want(table, TABLE_MBR, 0, 1);
}

// What is not on the disk, or is too much, is left out.
static void add(struct table *table, const struct partition *found) {
	if (found->count == 0 || !range_fits(found->first, found->count, table->sectors)) return;
	if (table->count < TABLE_PARTITIONS) table->partitions[table->count++] = *found;
}

static void add_mbr(
	struct table *table, uint32_t number, uint64_t start, const struct mbr_entry *entry) {
	if (entry->type == MBR_EMPTY) return;
	add(table,
		&(struct partition){.number = number,
			.first = start + entry->first,
			.count = entry->count,
			.mbr_type = entry->type});
}

static void feed_mbr(struct table *table, const uint8_t *sector) {
	struct mbr_entry entries[MBR_ENTRIES];

	table->kind = TABLE_NONE;
	table->state = TABLE_DONE;
	if (!mbr_read(sector, entries)) return;
	for (unsigned i = 0; i < MBR_ENTRIES; i++)
		if (entries[i].type == MBR_PROTECTIVE) {
			want(table, TABLE_HEADER, GPT_FIRST, 1);
			return;
		}
	table->kind = TABLE_IS_MBR;
	for (unsigned i = 0; i < MBR_ENTRIES; i++) {
		if (!mbr_is_extended(entries[i].type)) {
			add_mbr(table, i + 1, 0, &entries[i]);
			continue;
		}
		table->extended = entries[i].first;
		table->extended_count = entries[i].count;
	}
	if (table->extended != 0) want(table, TABLE_EXTENDED, table->extended, 1);
}

// A sector in the extended partition: a logical partition, and where the next such sector is. What
// leads out of the extended partition is not followed; the partitions before it count.
static void feed_extended(struct table *table, const uint8_t *sector) {
	struct mbr_entry entries[MBR_ENTRIES];
	uint64_t place = table->want - table->extended;

	table->state = TABLE_DONE;
	if (!mbr_read(sector, entries)) return;
	if (!mbr_is_extended(entries[0].type) &&
		range_fits(place + entries[0].first, entries[0].count, table->extended_count))
		add_mbr(table, MBR_ENTRIES + 1 + table->links, table->want, &entries[0]);
	if (++table->links == EXTENDED_LINKS) return;
	if (!mbr_is_extended(entries[1].type) || entries[1].first == 0) return;
	if (!range_fits(entries[1].first, 1, table->extended_count)) return;
	want(table, TABLE_EXTENDED, table->extended + entries[1].first, 1);
}

// The copy of the table, once; it is at the disk's end.
static void try_copy(struct table *table) {
	if (table->kind == TABLE_IS_GPT_COPY) {
		table->state = TABLE_FAILED;
		return;
	}
	table->kind = TABLE_IS_GPT_COPY;
	want(table, TABLE_HEADER, table->sectors - 1, 1);
}

static void feed_header(struct table *table, const uint8_t *sector) {
	struct gpt_header *header = &table->header;

	if (table->kind != TABLE_IS_GPT_COPY) table->kind = TABLE_IS_GPT;
	if (!sector || !gpt_header_read(sector, table->want, table->sectors, header)) {
		try_copy(table);
		return;
	}
	want(table, TABLE_ENTRIES, header->entries,
		align_up((uint64_t)header->count * header->size, TABLE_SECTOR) / TABLE_SECTOR);
}

static void feed_entries(struct table *table, const uint8_t *entries) {
	const struct gpt_header *header = &table->header;

	if (!entries || !gpt_entries_are_whole(header, entries)) {
		try_copy(table);
		return;
	}
	table->state = TABLE_DONE;
	for (uint32_t i = 0; i < header->count; i++) {
		struct partition read;

		if (!gpt_entry_read(header, entries + (uint64_t)i * header->size, &read)) continue;
		read.number = i + 1;
		add(table, &read);
	}
}

void table_feed(struct table *table, const uint8_t *sectors) {
	if (!sectors && (table->state == TABLE_MBR || table->state == TABLE_EXTENDED))
		table->state = TABLE_FAILED;
	switch (table->state) {
	case TABLE_MBR: feed_mbr(table, sectors); break;
	case TABLE_EXTENDED: feed_extended(table, sectors); break;
	case TABLE_HEADER: feed_header(table, sectors); break;
	case TABLE_ENTRIES: feed_entries(table, sectors); break;
	case TABLE_DONE:
	case TABLE_FAILED: break;
	}
}

bool table_is_apart(const struct table *table, const struct partition *partition) {
	for (unsigned i = 0; i < table->count; i++) {
		const struct partition *other = &table->partitions[i];

		if (other == partition) continue;
		if (partition->first < other->first + other->count &&
			other->first < partition->first + partition->count)
			return false;
	}
	return true;
}
