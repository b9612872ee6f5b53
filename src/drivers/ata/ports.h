// SPDX-License-Identifier: BSD-2-Clause
// The ports of an ATA channel. Names are those of ATA/ATAPI-6.
#pragma once

#include <stdint.h>

enum ata_register {
	ATA_FEATURES = 1, // error when read
	ATA_SECTOR_COUNT = 2,
	ATA_LBA_LOW = 3,
	ATA_LBA_MID = 4,
	ATA_LBA_HIGH = 5,
	ATA_DEVICE = 6,
	ATA_COMMAND = 7, // status when read, which acknowledges the device's interrupt
};

uint8_t ata_port_read(enum ata_register index);
void ata_port_write(enum ata_register index, uint8_t value);

// Two words of a sector.
uint32_t ata_port_read_data(void);
void ata_port_write_data(uint32_t words);

// Status without acknowledging anything; writing is the device control register.
uint8_t ata_port_alternate_status(void);
void ata_port_control(uint8_t value);
