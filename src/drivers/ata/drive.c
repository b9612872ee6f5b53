// SPDX-License-Identifier: BSD-2-Clause
// Commands of ATA/ATAPI-6 (T13/1410D): software reset, IDENTIFY DEVICE, READ SECTORS, WRITE
// SECTORS, FLUSH CACHE, each also in its 48-bit form.
#include <drivers/ata/drive.h>

#include <drivers/ata/ports.h>

enum {
	STATUS_ERROR = 1 << 0,
	STATUS_DATA_REQUEST = 1 << 3,
	STATUS_FAULT = 1 << 5,
	STATUS_BUSY = 1 << 7,
	STATUS_ABSENT = 0xff, // a floating bus: no drive

	CONTROL_NO_INTERRUPT = 1 << 1,
	CONTROL_RESET = 1 << 2,

	DEVICE_UNIT_SHIFT = 4,
	DEVICE_LBA = 1 << 6,
	DEVICE_OBSOLETE = 0xa0, // bits that old drives require to be set

	COMMAND_IDENTIFY = 0xec,
	LBA28_SECTOR_BITS = 28,

	// Polls of the status register, each followed by a pause: about five microseconds.
	RESET_LOOKS = 500000,
	COMMAND_LOOKS = 50000,
	SETTLE_LOOKS = 5, // 400 ns in which the status is not valid yet
	RESET_PAUSES = 5, // 5 us at least
	STATUS_PAUSES = 2000,

	SECTOR_DOUBLE_WORDS = BLOCK_SECTOR / 4,
};

// Wait until the drive is not busy; false when it stays busy.
static bool wait_idle(uint32_t looks) {
	for (unsigned i = 0; i < SETTLE_LOOKS; i++)
		(void)ata_port_alternate_status();
	for (uint32_t i = 0; i < looks; i++) {
		if (!(ata_port_alternate_status() & STATUS_BUSY)) return true;
		device_pause();
	}
	return false;
}

static void pause_for(unsigned pauses) {
	for (unsigned i = 0; i < pauses; i++)
		device_pause();
}

static uint8_t device_bits(const struct ata_drive *drive) {
	return (uint8_t)(DEVICE_OBSOLETE | DEVICE_LBA | drive->unit << DEVICE_UNIT_SHIFT);
}

static void read_sector(uint8_t *data) {
	for (unsigned i = 0; i < SECTOR_DOUBLE_WORDS; i++) {
		uint32_t words = ata_port_read_data();

		__builtin_memcpy(data + i * 4, &words, 4);
	}
}

static void write_sector(const uint8_t *data) {
	for (unsigned i = 0; i < SECTOR_DOUBLE_WORDS; i++) {
		uint32_t words;

		__builtin_memcpy(&words, data + i * 4, 4);
		ata_port_write_data(words);
	}
}

static void identify(struct ata_drive *drive) {
	uint16_t words[ATA_IDENTIFY_WORDS];
	uint8_t status;

	ata_port_write(ATA_DEVICE, device_bits(drive));
	if (!wait_idle(COMMAND_LOOKS)) return;
	status = ata_port_alternate_status();
	if (status == 0 || status == STATUS_ABSENT) return;
	ata_port_write(ATA_COMMAND, COMMAND_IDENTIFY);
	if (!wait_idle(COMMAND_LOOKS)) return;
	// A packet device (a CD) aborts the command; it is no disk.
	status = ata_port_read(ATA_COMMAND);
	if ((status & (STATUS_ERROR | STATUS_FAULT)) || !(status & STATUS_DATA_REQUEST)) return;
	read_sector((uint8_t *)words);
	drive->identity = ata_identify(words);
}

uint64_t ata_drive_reset(struct ata_drive *drive) {
	uint8_t status = ata_port_alternate_status();

	drive->identity = (struct ata_identity){0};
	drive->active = false;
	if (status == STATUS_ABSENT) return 0;
	// The busy bit is that of the selected drive, which must not be the absent one.
	ata_port_write(ATA_DEVICE, device_bits(drive));
	ata_port_control(CONTROL_RESET | CONTROL_NO_INTERRUPT);
	pause_for(RESET_PAUSES);
	ata_port_control(CONTROL_NO_INTERRUPT);
	// 2 ms until the status is valid (9.2, the host's side of a software reset).
	pause_for(STATUS_PAUSES);
	if (!wait_idle(RESET_LOOKS)) return 0;
	identify(drive);
	ata_port_control(0);
	return drive->identity.sectors;
}

struct command_codes {
	uint8_t small;
	uint8_t large;
};

static const struct command_codes codes[] = {
	[BLOCK_READ] = {0x20, 0x24},
	[BLOCK_WRITE] = {0x30, 0x34},
	[BLOCK_FLUSH] = {0xe7, 0xea},
};

// The registers are two deep: the high half of each number goes first.
static void write_large_task(const struct ata_drive *drive, const struct block_job *job) {
	for (int shift = 24; shift >= 0; shift -= 24) {
		ata_port_write(ATA_SECTOR_COUNT, (uint8_t)(job->count >> shift / 3));
		ata_port_write(ATA_LBA_LOW, (uint8_t)(job->sector >> shift));
		ata_port_write(ATA_LBA_MID, (uint8_t)(job->sector >> (shift + 8)));
		ata_port_write(ATA_LBA_HIGH, (uint8_t)(job->sector >> (shift + 16)));
	}
	ata_port_write(ATA_COMMAND, codes[drive->kind].large);
}

// A count of 256 is written as 0.
static void write_small_task(const struct ata_drive *drive, const struct block_job *job) {
	ata_port_write(ATA_SECTOR_COUNT, (uint8_t)job->count);
	ata_port_write(ATA_LBA_LOW, (uint8_t)job->sector);
	ata_port_write(ATA_LBA_MID, (uint8_t)(job->sector >> 8));
	ata_port_write(ATA_LBA_HIGH, (uint8_t)(job->sector >> 16));
	ata_port_write(ATA_DEVICE, (uint8_t)(device_bits(drive) | (job->sector >> 24 & 0xf)));
	ata_port_write(ATA_COMMAND, codes[drive->kind].small);
}

static enum block_progress ended(struct ata_drive *drive, enum block_progress progress) {
	drive->active = false;
	return progress;
}

static bool is_wrong(uint8_t status) { return status & (STATUS_ERROR | STATUS_FAULT); }

// The first sector of a write is requested without an interrupt.
static enum block_progress start_write(struct ata_drive *drive) {
	uint8_t status;

	if (!wait_idle(COMMAND_LOOKS)) return ended(drive, BLOCK_STUCK);
	status = ata_port_alternate_status();
	if (is_wrong(status)) return ended(drive, BLOCK_FAILED);
	if (!(status & STATUS_DATA_REQUEST)) return ended(drive, BLOCK_STUCK);
	write_sector(drive->data);
	drive->data += BLOCK_SECTOR;
	drive->left--;
	return BLOCK_UNDER_WAY;
}

enum block_progress ata_drive_start(struct ata_drive *drive, const struct block_job *job) {
	bool is_small = job->sector + job->count <= 1ul << LBA28_SECTOR_BITS;

	drive->kind = job->kind;
	drive->data = job->data;
	drive->left = job->count;
	drive->active = true;
	ata_port_write(ATA_DEVICE, device_bits(drive));
	if (!wait_idle(COMMAND_LOOKS)) return ended(drive, BLOCK_STUCK);
	if (ata_port_alternate_status() & STATUS_DATA_REQUEST) return ended(drive, BLOCK_STUCK);
	if (is_small)
		write_small_task(drive, job);
	else
		write_large_task(drive, job);
	return job->kind == BLOCK_WRITE ? start_write(drive) : BLOCK_UNDER_WAY;
}

static enum block_progress move_sector(struct ata_drive *drive, uint8_t status) {
	// After its sectors, a write is complete when the drive says so; a read when the last
	// sector was read.
	if (drive->left == 0) return ended(drive, BLOCK_DONE);
	if (!(status & STATUS_DATA_REQUEST)) return BLOCK_UNDER_WAY;
	if (drive->kind == BLOCK_READ)
		read_sector(drive->data);
	else
		write_sector(drive->data);
	drive->data += BLOCK_SECTOR;
	drive->left--;
	if (drive->left == 0 && drive->kind == BLOCK_READ) return ended(drive, BLOCK_DONE);
	return BLOCK_UNDER_WAY;
}

enum block_progress ata_drive_interrupt(struct ata_drive *drive) {
	uint8_t status = ata_port_read(ATA_COMMAND);

	if (!drive->active) return BLOCK_IDLE;
	// A stray interrupt: this command's own is still to come.
	if (status & STATUS_BUSY) return BLOCK_UNDER_WAY;
	if (is_wrong(status)) return ended(drive, BLOCK_FAILED);
	return move_sector(drive, status);
}
