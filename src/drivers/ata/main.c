// SPDX-License-Identifier: BSD-2-Clause
// The ATA disk driver: one drive of an IDE channel, by programmed I/O.
#include <drivers/ata/drive.h>
#include <lib/block/driver.h>

// Patched by the composer: which of the channel's two drives.
uint64_t ata_unit __attribute__((section(".data")));

// Written by the functions of this file only.
static struct ata_drive drive;

static uint64_t reset(void) { return ata_drive_reset(&drive); }

static enum block_progress start(const struct block_job *job) {
	return ata_drive_start(&drive, job);
}

static enum block_progress interrupt(void) { return ata_drive_interrupt(&drive); }

static const struct block_device device = {
	.trigger = BLOCK_EDGE,
	.reset = reset,
	.start = start,
	.interrupt = interrupt,
};

void init(void) {
	drive.unit = ata_unit & 1;
	driver_start(&device);
}
