// SPDX-License-Identifier: BSD-2-Clause
// Channel 0 of the 8254 through I/O port capability 1. Mode 0: the output goes low with the control
// word and high when the count has run down, which is the edge the I/O APIC sees.
#include <drivers/timer/pit.h>

#include <microkit.h>

#include <drivers/timer/ticks.h>
#include <nacre/tsc.h>
#include <x86/timer.h>

enum {
	PORT_ID = 1,
	CONTROL_LATCH = 0x00, // channel 0
	CONTROL_MODE_0 = 0x30, // channel 0, low byte then high byte
	LARGEST_COUNT = 0xffff,
};

// 1193182 Hz. The count must not run down before both of its bytes are written.
static const struct tick_range range = {.period = 838095345, .least = 2, .most = LARGEST_COUNT};

static void write(uint16_t port, uint8_t value) {
	microkit_x86_ioport_write_8(PORT_ID, port, value);
}

// A control word without a count stops the channel.
static void channel_stop(void) { write(PIT_COMMAND, CONTROL_MODE_0); }

static void count_write(uint64_t count) {
	write(PIT_CHANNEL_0, (uint8_t)count);
	write(PIT_CHANNEL_0, (uint8_t)(count >> 8));
}

static unsigned count_read(void) {
	unsigned low;

	write(PIT_COMMAND, CONTROL_LATCH);
	low = microkit_x86_ioport_read_8(PORT_ID, PIT_CHANNEL_0);
	return low | (unsigned)microkit_x86_ioport_read_8(PORT_ID, PIT_CHANNEL_0) << 8;
}

bool pit_init(uint64_t patience) {
	uint64_t start = tsc_read();
	unsigned before;
	unsigned now = 0;

	if (!(microkit_ioports >> PORT_ID & 1)) return false;
	channel_stop();
	count_write(LARGEST_COUNT);
	// The count is loaded with the next tick; reads before that are undefined.
	do {
		before = now;
		now = count_read();
	} while (now >= before && tsc_read() - start < patience);
	channel_stop();
	return now < before;
}

void pit_arm(uint64_t nanoseconds) {
	channel_stop();
	count_write(ticks_of(&range, nanoseconds));
}
