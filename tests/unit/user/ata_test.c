// SPDX-License-Identifier: BSD-2-Clause
// The ATA driver against a fake drive: identification, both command forms, errors, silence.
#include "test.h"

#include <drivers/ata/drive.h>
#include <drivers/ata/ports.h>

#include <string.h>

enum {
	ERROR = 1 << 0,
	DATA_REQUEST = 1 << 3,
	READY = 1 << 6,
	BUSY = 1 << 7,
	SECTORS = 64, // that the fake really keeps, from `base` on
};

// What the fake drive is and does.
static struct {
	bool absent;
	bool packet_device;
	bool stuck; // busy for ever once a command was written
	bool fails; // the next command ends with an error
	bool large;
	unsigned reset_looks; // the drive is busy for so many looks after a reset
	uint64_t sectors;
	uint64_t base;
	// Its registers: each two deep.
	uint8_t now[8];
	uint8_t before[8];
	uint8_t status;
	uint8_t control;
	unsigned resets;
	unsigned interrupts;
	// The command.
	uint8_t command;
	uint64_t sector;
	uint32_t left;
	uint8_t buffer[512];
	unsigned position;
	uint8_t medium[SECTORS][512];
} fake;

static void interrupt(void) {
	if (!(fake.control & 2)) fake.interrupts++;
}

static void fill_identity(void) {
	uint16_t words[256] = {0};

	words[49] = 1 << 9;
	words[60] = (uint16_t)(fake.large ? 0xffff : fake.sectors);
	words[61] = (uint16_t)(fake.large ? 0x0fff : fake.sectors >> 16);
	words[83] = (uint16_t)(0x4000 | (fake.large ? 1 << 10 : 0));
	for (unsigned i = 0; i < 4; i++)
		words[100 + i] = (uint16_t)(fake.large ? fake.sectors >> 16 * i : 0);
	memcpy(fake.buffer, words, sizeof(words));
}

static void decode_small(void) {
	fake.left = fake.now[2] ? fake.now[2] : 256;
	fake.sector = fake.now[3] | fake.now[4] << 8 | fake.now[5] << 16 |
		(uint64_t)(fake.now[6] & 0xf) << 24;
}

static void decode_large(void) {
	fake.left = (uint32_t)(fake.now[2] | fake.before[2] << 8);
	fake.sector = fake.now[3] | fake.now[4] << 8 | fake.now[5] << 16;
	for (unsigned i = 0; i < 3; i++)
		fake.sector |= (uint64_t)fake.before[3 + i] << (24 + 8 * i);
}

static void load_sector(void) {
	memcpy(fake.buffer, fake.medium[(fake.sector - fake.base) % SECTORS], 512);
	fake.position = 0;
	fake.status = READY | DATA_REQUEST;
	interrupt();
}

static void begin(uint8_t command) {
	fake.command = command;
	fake.position = 0;
	fake.status = READY;
	if (fake.stuck) {
		fake.status = BUSY;
	} else if (fake.fails || (fake.packet_device && command == 0xec)) {
		fake.status = READY | ERROR;
		interrupt();
	} else if (command == 0xec) {
		fill_identity();
		fake.left = 1;
		fake.status |= DATA_REQUEST;
	} else if (command == 0x20 || command == 0x24) {
		command == 0x20 ? decode_small() : decode_large();
		load_sector();
	} else if (command == 0x30 || command == 0x34) {
		command == 0x30 ? decode_small() : decode_large();
		fake.status |= DATA_REQUEST;
	} else {
		check(command == 0xe7);
		interrupt();
	}
}

uint8_t ata_port_read(enum ata_register index) {
	if (fake.absent) return 0xff;
	return index == ATA_COMMAND ? fake.status : fake.now[index];
}

void ata_port_write(enum ata_register index, uint8_t value) {
	// While it is busy, a drive takes nothing.
	if (fake.reset_looks > 0) return;
	if (index == ATA_COMMAND) {
		begin(value);
		return;
	}
	fake.before[index] = fake.now[index];
	fake.now[index] = value;
}

static void end_sector(void) {
	if (fake.command == 0x30 || fake.command == 0x34) {
		memcpy(fake.medium[(fake.sector - fake.base) % SECTORS], fake.buffer, 512);
		fake.position = 0;
		fake.status = READY | (fake.left > 1 ? DATA_REQUEST : 0);
		interrupt();
	}
	fake.sector++;
	fake.left--;
	if (fake.left == 0)
		fake.status = READY;
	else if (fake.command == 0x20 || fake.command == 0x24)
		load_sector();
}

uint32_t ata_port_read_data(void) {
	uint32_t words;

	check((fake.status & DATA_REQUEST) && fake.position <= 508);
	memcpy(&words, fake.buffer + fake.position, 4);
	fake.position += 4;
	if (fake.position == 512) end_sector();
	return words;
}

void ata_port_write_data(uint32_t words) {
	check((fake.status & DATA_REQUEST) && fake.position <= 508);
	memcpy(fake.buffer + fake.position, &words, 4);
	fake.position += 4;
	if (fake.position == 512) end_sector();
}

// Drive 1 is not there; while it is selected, the status is 0.
uint8_t ata_port_alternate_status(void) {
	if (fake.absent) return 0xff;
	if (fake.now[ATA_DEVICE] & 1 << 4) return 0;
	if (fake.reset_looks > 0) {
		fake.reset_looks--;
		return BUSY;
	}
	return fake.status;
}

void ata_port_control(uint8_t value) {
	if (value & 4) {
		fake.resets++;
		fake.reset_looks = 10;
		fake.stuck = false;
		fake.status = READY;
	}
	fake.control = value;
}

static struct ata_drive drive;
static uint8_t data[256 * 512];

static void start(uint64_t sectors, bool large) {
	memset(&fake, 0, sizeof(fake));
	fake.status = READY;
	fake.now[ATA_DEVICE] = 1 << 4; // as firmware left it
	fake.sectors = sectors;
	fake.large = large;
	drive = (struct ata_drive){0};
	check(ata_drive_reset(&drive) == sectors);
	check(fake.resets == 1 && fake.interrupts == 0 && fake.control == 0);
}

static enum block_progress run(enum block_kind kind, uint64_t sector, uint32_t count) {
	const struct block_job job = {.kind = kind, .sector = sector, .count = count, .data = data};
	enum block_progress progress = ata_drive_start(&drive, &job);

	for (unsigned i = 0; i < 1000 && progress == BLOCK_UNDER_WAY && fake.interrupts > 0; i++) {
		fake.interrupts--;
		progress = ata_drive_interrupt(&drive);
	}
	return progress;
}

static void moves(uint64_t sector, uint32_t count) {
	fake.base = sector;
	for (unsigned i = 0; i < count * 512; i++)
		data[i] = (uint8_t)(i * 13 + i / 512);
	check(run(BLOCK_WRITE, sector, count) == BLOCK_DONE);
	memset(data, 0, sizeof(data));
	check(run(BLOCK_READ, sector, count) == BLOCK_DONE);
	for (unsigned i = 0; i < count * 512; i++)
		if (data[i] != (uint8_t)(i * 13 + i / 512)) {
			check(false);
			return;
		}
	check(fake.sector == sector + count && fake.left == 0);
}

static void small(void) {
	start(1 << 20, false);
	moves(0, 1);
	moves(0xabcde, 3);
	moves((1 << 20) - 64, 64);
	check(fake.command == 0x20);
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.command == 0xe7);
	// 256 sectors are a count of 0.
	fake.base = 5;
	check(run(BLOCK_READ, 5, 256) == BLOCK_DONE && fake.sector == 261);
}

static void large(void) {
	start(0x123456789abc, true);
	moves(0xffffff0, 16); // the last that the small form reaches
	check(fake.command == 0x20);
	moves(0xffffff1, 16);
	check(fake.command == 0x24);
	moves(0x123456789a00, 16);
	fake.base = 1ul << 40;
	check(run(BLOCK_READ, 1ul << 40, 256) == BLOCK_DONE && fake.sector == (1ul << 40) + 256);
	check(fake.left == 0);
}

static void nothing_there(void) {
	memset(&fake, 0, sizeof(fake));
	fake.absent = true;
	check(ata_drive_reset(&drive) == 0 && fake.resets == 0);
	fake.absent = false;
	check(ata_drive_reset(&drive) == 0); // status 0: an empty channel
	memset(&fake, 0, sizeof(fake));
	fake.status = READY;
	fake.packet_device = true;
	check(ata_drive_reset(&drive) == 0 && fake.interrupts == 0);
}

static void errors(void) {
	start(1000, false);
	fake.fails = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_FAILED);
	check(run(BLOCK_WRITE, 0, 1) == BLOCK_FAILED);
	fake.interrupts = 0;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_FAILED);
	fake.fails = false;
	moves(3, 2); // it takes the next command
}

static void silence(void) {
	const struct block_job job = {.kind = BLOCK_READ, .count = 1, .data = data};

	start(1000, false);
	check(ata_drive_interrupt(&drive) == BLOCK_IDLE); // nothing asked for it
	fake.stuck = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_UNDER_WAY);
	check(ata_drive_interrupt(&drive) == BLOCK_UNDER_WAY); // another's interrupt
	check(ata_drive_reset(&drive) == 1000);
	fake.stuck = true;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_UNDER_WAY);
	check(ata_drive_interrupt(&drive) == BLOCK_UNDER_WAY);
	check(ata_drive_reset(&drive) == 1000);
	fake.stuck = true;
	check(run(BLOCK_WRITE, 0, 1) == BLOCK_STUCK);
	check(ata_drive_start(&drive, &job) == BLOCK_STUCK);
	check(ata_drive_reset(&drive) == 1000 && fake.resets == 4);
	fake.status = READY | DATA_REQUEST; // data that was not requested
	check(ata_drive_start(&drive, &job) == BLOCK_STUCK);
}

static void identity(void) {
	uint16_t words[ATA_IDENTIFY_WORDS] = {[60] = 5};

	check(ata_identify(words).sectors == 0); // no LBA
	words[49] = 1 << 9;
	check(ata_identify(words).sectors == 5 && !ata_identify(words).large);
	words[83] = 1 << 10; // not valid without bit 14
	words[100] = 7;
	check(ata_identify(words).sectors == 5);
	words[83] = 0x4400;
	check(ata_identify(words).sectors == 7 && ata_identify(words).large);
	words[106] = 0x5000; // sectors of 4096 bytes
	check(ata_identify(words).sectors == 0);
}

static const struct test rows[] = {
	{"user/ata/small", "sectors move by commands of 28-bit numbers", small},
	{"user/ata/large", "and by those of 48-bit numbers where they are needed", large},
	{"user/ata/absent", "an empty channel and a CD are no disk", nothing_there},
	{"user/ata/errors", "an error ends the request and not the drive", errors},
	{"user/ata/silence", "a drive that stays busy is noticed and reset", silence},
	{"user/ata/identity", "only disks that the driver can serve are taken", identity},
};

const struct tests ata_tests = {rows, array_count(rows)};
