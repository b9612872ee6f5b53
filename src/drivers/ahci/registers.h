// SPDX-License-Identifier: BSD-2-Clause
// Registers and memory structures of an AHCI controller. Names are those of the AHCI 1.3.1
// specification, sections 3 and 4.
#pragma once

#include <stdint.h>

enum ahci_register {
	AHCI_CAP = 0x00,
	AHCI_GHC = 0x04,
	AHCI_IS = 0x08,
	AHCI_PI = 0x0c,
	AHCI_PORTS = 0x100, // registers of port 0
	AHCI_PORT_SIZE = 0x80,
	AHCI_PORT_COUNT = 32,
};

enum ahci_port_register {
	PORT_CLB = 0x00,
	PORT_CLBU = 0x04,
	PORT_FB = 0x08,
	PORT_FBU = 0x0c,
	PORT_IS = 0x10,
	PORT_IE = 0x14,
	PORT_CMD = 0x18,
	PORT_TFD = 0x20,
	PORT_SIG = 0x24,
	PORT_SSTS = 0x28,
	PORT_SERR = 0x30,
	PORT_CI = 0x38,
};

enum {
	CAP_S64A = 1u << 31,
	GHC_HR = 1u << 0,
	GHC_IE = 1u << 1,
	GHC_AE = 1u << 31,

	CMD_ST = 1u << 0,
	CMD_SUD = 1u << 1,
	CMD_POD = 1u << 2,
	CMD_FRE = 1u << 4,
	CMD_FR = 1u << 14,
	CMD_CR = 1u << 15,

	IS_DHRS = 1u << 0,
	IS_IFS = 1u << 27,
	IS_HBDS = 1u << 28,
	IS_HBFS = 1u << 29,
	IS_TFES = 1u << 30,
	IS_ERRORS = IS_IFS | IS_HBDS | IS_HBFS | IS_TFES,

	TFD_ERR = 1u << 0,
	TFD_DRQ = 1u << 3,
	TFD_DF = 1u << 5,
	TFD_BSY = 1u << 7,

	SSTS_DET_MASK = 0xf,
	SSTS_DET_PRESENT = 3,
	SIG_DISK = 0x101,
};

// The page that driver and controller share.
enum {
	DMA_COMMAND_LIST = 0x000,
	DMA_RECEIVED_FIS = 0x400,
	DMA_COMMAND_TABLE = 0x500,
	DMA_IDENTIFY = 0x800,
	DMA_BYTES = 0x1000,
};

struct ahci_command_header {
	uint16_t flags; // FIS length in double words, HEADER_WRITE
	uint16_t prdt_length;
	uint32_t prd_byte_count;
	uint32_t table_low;
	uint32_t table_high;
	uint32_t reserved[4];
};

enum {
	HEADER_WRITE = 1 << 6,
};

// A register FIS from host to device (Serial ATA 3, 10.5.5).
struct ahci_command_fis {
	uint8_t type;
	uint8_t flags;
	uint8_t command;
	uint8_t features;
	uint8_t lba_low[3];
	uint8_t device;
	uint8_t lba_high[3];
	uint8_t features_high;
	uint16_t count;
	uint8_t icc;
	uint8_t control;
	uint32_t reserved;
};

enum {
	FIS_HOST_TO_DEVICE = 0x27,
	FIS_IS_COMMAND = 0x80,
	FIS_DEVICE_LBA = 0x40,
};

struct ahci_command_table {
	struct ahci_command_fis fis;
	uint8_t fis_rest[64 - sizeof(struct ahci_command_fis)];
	uint8_t packet[16];
	uint8_t reserved[48];
	// One entry: a region of the description is contiguous.
	uint32_t data_low;
	uint32_t data_high;
	uint32_t data_reserved;
	uint32_t data_bytes; // less one
};

_Static_assert(sizeof(struct ahci_command_header) == 32);
_Static_assert(sizeof(struct ahci_command_fis) == 20);
_Static_assert(sizeof(struct ahci_command_table) == 0x90);

uint32_t ahci_read(unsigned offset);
void ahci_write(unsigned offset, uint32_t value);
