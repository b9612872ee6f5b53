// SPDX-License-Identifier: BSD-2-Clause
// Checks that a GPT is whole and lies on the disk.
#include <services/partition/gpt.h>

#include <base/bits.h>
#include <base/memory.h>

#include <services/partition/crc32.h>

enum {
	ENTRY_MULTIPLE = 8,
	ASCII_FIRST = 0x20,
	ASCII_LAST = 0x7e,
};

// As it is on the disk; the sector's rest is reserved.
struct [[gnu::packed]] disk_header {
	char signature[8];
	uint32_t revision;
	uint32_t size; // of the header
	uint32_t crc; // of the header, computed with this as 0
	uint32_t reserved;
	uint64_t here;
	uint64_t other; // the copy
	uint64_t first;
	uint64_t last;
	uint8_t disk[GUID_BYTES];
	uint64_t entries;
	uint32_t count;
	uint32_t entry_size;
	uint32_t entries_crc;
};

struct [[gnu::packed]] disk_entry {
	uint8_t type[GUID_BYTES];
	uint8_t identity[GUID_BYTES];
	uint64_t first;
	uint64_t last;
	uint64_t attributes;
	uint16_t label[TABLE_LABEL];
};

_Static_assert(sizeof(struct disk_header) == 92 && sizeof(struct disk_entry) == 128);

static bool is_whole(const uint8_t *sector, const struct disk_header *header) {
	static const uint8_t no_crc[sizeof(header->crc)];
	const size_t behind = offsetof(struct disk_header, crc) + sizeof(header->crc);
	uint32_t crc;

	if (memcmp(header->signature, "EFI PART", sizeof(header->signature)) != 0) return false;
	if (header->size < sizeof(*header) || header->size > TABLE_SECTOR) return false;
	crc = crc32(0, sector, offsetof(struct disk_header, crc));
	crc = crc32(crc, no_crc, sizeof(no_crc));
	return crc32(crc, sector + behind, header->size - behind) == header->crc;
}

bool gpt_header_read(
	const uint8_t *sector, uint64_t here, uint64_t disk, struct gpt_header *header) {
	struct disk_header read;
	uint64_t bytes;

	memcpy(&read, sector, sizeof(read));
	if (!is_whole(sector, &read) || read.here != here) return false;
	if (read.first > read.last || read.last >= disk) return false;
	if (read.entry_size < sizeof(struct disk_entry) || read.entry_size % ENTRY_MULTIPLE != 0)
		return false;
	bytes = (uint64_t)read.count * read.entry_size;
	if (bytes == 0 || bytes > TABLE_MOST * TABLE_SECTOR) return false;
	if (!range_fits(read.entries, align_up(bytes, TABLE_SECTOR) / TABLE_SECTOR, disk))
		return false;
	*header = (struct gpt_header){
		read.first, read.last, read.entries, read.count, read.entry_size, read.entries_crc};
	return true;
}

bool gpt_entries_are_whole(const struct gpt_header *header, const uint8_t *entries) {
	return crc32(0, entries, (size_t)header->count * header->size) == header->crc;
}

static void read_label(const struct disk_entry *entry, char *label) {
	for (unsigned i = 0; i < TABLE_LABEL && entry->label[i] != 0; i++) {
		uint16_t letter = entry->label[i];

		label[i] = letter >= ASCII_FIRST && letter <= ASCII_LAST ? (char)letter : '?';
	}
}

bool gpt_entry_read(
	const struct gpt_header *header, const uint8_t *entry, struct partition *partition) {
	static const uint8_t unused[GUID_BYTES];
	struct disk_entry read;

	memcpy(&read, entry, sizeof(read));
	if (memcmp(read.type, unused, sizeof(unused)) == 0) return false;
	if (read.first < header->first || read.first > read.last || read.last > header->last)
		return false;
	*partition = (struct partition){
		.first = read.first, .count = read.last - read.first + 1, .is_gpt = true};
	memcpy(partition->type, read.type, sizeof(read.type));
	read_label(&read, partition->label);
	return true;
}
