// SPDX-License-Identifier: BSD-2-Clause
// An ATA disk by programmed I/O: one command at a time, an interrupt for each sector. Pure but for
// its ports.
#pragma once

#include <drivers/ata/identify.h>
#include <lib/block/device.h>

struct ata_drive {
	unsigned unit; // 0 or 1 on its channel
	struct ata_identity identity;
	// The command in progress.
	bool active;
	enum block_kind kind;
	uint8_t *data; // of the next sector
	uint32_t left; // sectors not transferred yet
};

// Reset the channel and identify the drive; returns its sectors, 0 when there is no disk that the
// driver supports.
[[nodiscard]] uint64_t ata_drive_reset(struct ata_drive *drive);

[[nodiscard]] enum block_progress ata_drive_start(
	struct ata_drive *drive, const struct block_job *job);

// Handles the channel's interrupt.
[[nodiscard]] enum block_progress ata_drive_interrupt(struct ata_drive *drive);
