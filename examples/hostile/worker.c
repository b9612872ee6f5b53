// SPDX-License-Identifier: BSD-2-Clause
// Counts the ticks of its clock and checks the time between them, whatever others do meanwhile. The
// flooder's signals cost it time of its own budget, but never a tick.
#include <microkit.h>

enum {
	CLOCK = 0,
	FLOOD = 1,
	TICKS = 40,
	PERIOD = 10000, // microseconds
	LATE = 3 * PERIOD,
};

struct chunk {
	seL4_Word id;
	seL4_Word length;
	seL4_Uint32 megahertz;
};

// Patched by the composer.
const struct chunk *tsc_chunk;

// Written by notified only.
static seL4_Uint64 last_tick;
static seL4_Uint64 floods;
static unsigned ticks;

static seL4_Uint64 now(void) {
	return __builtin_ia32_rdtsc() / (tsc_chunk->megahertz ? tsc_chunk->megahertz : 1);
}

static void tick(void) {
	seL4_Uint64 time = now();

	if (last_tick && time - last_tick > LATE) microkit_dbg_puts("worker: late\n");
	last_tick = time;
	if (++ticks != TICKS) return;
	microkit_dbg_puts(floods ? "worker: nothing was lost\n" : "worker: no flood\n");
}

void init(void) {}

void notified(microkit_channel channel) {
	if (channel == FLOOD)
		floods++;
	else
		tick();
}
