// SPDX-License-Identifier: BSD-2-Clause
// At an empty line on the guest's second serial port, reads the machine's clocks; at one with text,
// prints what they showed. So the guest does not wait for the printing between its own readings.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/console.h>
#include <nacre/tsc.h>
#include <x86/timer.h>

enum {
	GUEST = 1,
	PERIOD_SHIFT = 32,
};

// Patched by the composer.
seL4_Word link_vaddr = 1;
seL4_Word hpet_vaddr = 1;
seL4_Word tsc_info_vaddr = 1;

// This end of the serial port, what an empty line was met at, and whether the line has text;
// written by the functions of this file only.
static struct console_end guest;
static uint64_t count, tsc;
static bool has_text;

static uint64_t hpet_read(unsigned offset) {
	return ((const volatile uint64_t *)hpet_vaddr)[offset / 8];
}

static void end_line(void) {
	if (!has_text) {
		count = hpet_read(HPET_COUNTER);
		tsc = tsc_read();
		return;
	}
	has_text = false;
	print("HPET %lu of %lu fs, TSC %lu of %lu Hz\n", count,
		hpet_read(HPET_CAPABILITIES) >> PERIOD_SHIFT, tsc, tsc_hertz(tsc_info_vaddr));
}

static void serve(void) {
	uint8_t byte;

	do {
		while (ring_get(&guest.out, &byte)) {
			if (byte == '\n') end_line();
			if (byte >= ' ') has_text = true;
		}
	} while (!ring_may_sleep(&guest.out));
}

void init(void) {
	if (console_serve(&guest, (struct console *)link_vaddr)) serve();
}

void notified(microkit_channel channel) {
	if (channel == GUEST) serve();
}
