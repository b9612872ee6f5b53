// SPDX-License-Identifier: BSD-2-Clause
// Entries of 16 bytes, little endian, at no alignment.
#include <services/partition/mbr.h>

#include <base/bits.h>

enum {
	ENTRIES_AT = 446,
	ENTRY_BYTES = 16,
	TYPE_AT = 4,
	FIRST_AT = 8,
	COUNT_AT = 12,
	SIGNATURE_AT = 510,
};

bool mbr_read(const uint8_t *sector, struct mbr_entry *entries) {
	if (sector[SIGNATURE_AT] != 0x55 || sector[SIGNATURE_AT + 1] != 0xaa) return false;
	for (unsigned i = 0; i < MBR_ENTRIES; i++) {
		const uint8_t *entry = sector + ENTRIES_AT + i * ENTRY_BYTES;

		entries[i] = (struct mbr_entry){.type = entry[TYPE_AT],
			.first = (uint32_t)bytes_number(entry, FIRST_AT, 4),
			.count = (uint32_t)bytes_number(entry, COUNT_AT, 4)};
	}
	return true;
}
