// SPDX-License-Identifier: BSD-2-Clause
// What an ATA disk reports about itself. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	ATA_IDENTIFY_WORDS = 256,
};

struct ata_identity {
	uint64_t sectors; // of 512 bytes; 0: an unsupported disk
	bool large; // accepts commands of 48-bit sector numbers
};

[[nodiscard]] struct ata_identity ata_identify(const uint16_t words[ATA_IDENTIFY_WORDS]);
