// SPDX-License-Identifier: BSD-2-Clause
// The answer to IDENTIFY DEVICE (ATA/ATAPI-7, T13/1532D volume 1, 6.17).
#include <drivers/ata/identify.h>

enum {
	WORD_CAPABILITIES = 49,
	CAPABILITY_LBA = 1 << 9,
	WORD_SECTORS_28 = 60,
	WORD_COMMAND_SETS = 83,
	COMMAND_SET_LBA48 = 1 << 10,
	WORD_SECTORS_48 = 100,
	WORD_SECTOR_SIZE = 106,
	SECTOR_SIZE_LARGE = 1 << 12, // other than 512 bytes
	// Words 83 and 106 are valid when their two high bits are 01.
	VALID_MASK = 0xc000,
	VALID = 0x4000,
};

static bool has(const uint16_t *words, unsigned index, uint16_t bit) {
	return (words[index] & VALID_MASK) == VALID && (words[index] & bit);
}

static uint64_t number(const uint16_t *words, unsigned count) {
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value |= (uint64_t)words[i] << 16 * i;
	return value;
}

struct ata_identity ata_identify(const uint16_t words[ATA_IDENTIFY_WORDS]) {
	struct ata_identity identity = {.large = has(words, WORD_COMMAND_SETS, COMMAND_SET_LBA48)};

	if (!(words[WORD_CAPABILITIES] & CAPABILITY_LBA)) return identity;
	if (has(words, WORD_SECTOR_SIZE, SECTOR_SIZE_LARGE)) return identity;
	identity.sectors = identity.large ? number(words + WORD_SECTORS_48, 4)
					  : number(words + WORD_SECTORS_28, 2);
	return identity;
}
