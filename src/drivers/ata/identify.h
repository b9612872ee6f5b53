// SPDX-License-Identifier: BSD-2-Clause
// What an ATA disk tells about itself. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	ATA_IDENTIFY_WORDS = 256,
};

struct ata_identity {
	uint64_t sectors; // of 512 bytes; 0: a disk that is not served
	bool large; // takes commands of 48-bit sector numbers
};

[[nodiscard]] struct ata_identity ata_identify(const uint16_t words[ATA_IDENTIFY_WORDS]);
