// SPDX-License-Identifier: BSD-2-Clause
// What a device says when it was given a job or has interrupted.
#pragma once

#include <lib/block/server.h>

// Between two looks at a register that is waited for: some microseconds in which this processor
// leaves the bus alone. An emulated device may not get on at all while it is looked at all the
// time.
static inline void device_pause(void) {
	for (unsigned i = 0; i < 100; i++)
		__asm__ volatile("pause");
}

enum block_progress {
	BLOCK_IDLE, // an interrupt, but nothing is under way
	BLOCK_UNDER_WAY, // an interrupt will come
	BLOCK_DONE,
	BLOCK_FAILED, // the device reports an error; it takes the next job
	BLOCK_STUCK, // the device does not do what it has to: reset it
};
