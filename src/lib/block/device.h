// SPDX-License-Identifier: BSD-2-Clause
// Results of giving a device a job, and of its interrupt.
#pragma once

#include <lib/block/server.h>

// Between two polls of a register: some microseconds in which this processor leaves the bus alone.
// An emulated device may make no progress while it is polled without pause.
static inline void device_pause(void) {
	for (unsigned i = 0; i < 100; i++)
		__asm__ volatile("pause");
}

// Whether the device can move the job's data by DMA: the description gives their physical address,
// or there are none.
static inline bool device_reaches(const struct block_job *job) {
	return job->count == 0 || job->data_paddr != 0;
}

enum block_progress {
	BLOCK_IDLE, // an interrupt without a job
	BLOCK_UNDER_WAY, // an interrupt will follow
	BLOCK_DONE,
	BLOCK_FAILED, // the device reports an error; it accepts the next job
	BLOCK_STUCK, // the device does not respond as it must: reset it
};
