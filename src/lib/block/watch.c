// SPDX-License-Identifier: BSD-2-Clause
// One time-out for many jobs: when it ends it is extended, not with every job.
#include <lib/block/watch.h>

#include <microkit.h>

#include <base/bits.h>

#include <lib/block/grants.h>
#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	LIMIT_SECONDS = 10,
};

// Patched by the composer.
uint64_t tsc_info_vaddr __attribute__((section(".data")));

// Written by the functions of this file only.
static uint64_t deadline; // of the job that began last
static bool armed;

static uint64_t limit(void) {
	if (!tsc_info_vaddr || !(microkit_pps & BIT(BLOCK_CHANNEL_TIMER))) return 0;
	return tsc_hertz(tsc_info_vaddr) * LIMIT_SECONDS;
}

static void arm(void) {
	microkit_mr_set(0, deadline);
	armed = microkit_msginfo_get_label(microkit_ppcall(
			BLOCK_CHANNEL_TIMER, microkit_msginfo_new(TIMER_SET, 1))) == TIMER_OK;
}

void watch_begin(void) {
	uint64_t ticks = limit();

	if (ticks == 0) return;
	deadline = tsc_read() + ticks;
	if (!armed) arm();
}

bool watch_is_over(void) {
	armed = false;
	if (tsc_read() >= deadline) return true;
	arm();
	return false;
}
