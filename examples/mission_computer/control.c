// SPDX-License-Identifier: BSD-2-Clause
// A control loop with a hard period of 1 ms: it holds a height, against gravity, by the thrust of
// an engine. It prints nothing; what others may know is in a page that they can read.
#include <microkit.h>

#include "control.h"

#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	TIMER = 1,
	TARGET = 1000 * MILLIMETRE,
	GRAVITY = 9810, // all in nanometres and periods
	MOST_THRUST = 2 * GRAVITY,
	STIFFNESS = 40000, // it gets there in a second or two, and does not swing
	DAMPING = 100,
};

// Patched by the composer: the page, and the rate of the time stamp counter.
seL4_Word control_vaddr;
seL4_Word tsc_info_vaddr;

// Written by this file only; a component is one thread.
static struct control_page *page;
static int64_t speed;

static void control(void) {
	int64_t thrust = GRAVITY + (TARGET - page->height) / STIFFNESS - speed / DAMPING;

	if (thrust < 0) thrust = 0;
	if (thrust > MOST_THRUST) thrust = MOST_THRUST;
	speed += thrust - GRAVITY;
	page->height += speed;
}

// The timer driver wakes this component at an absolute time, so that lateness does not add up.
static void wait_for_release(void) {
	microkit_mr_set(0, page->deadlines.release);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET, 1))) != TIMER_OK)
		microkit_dbg_puts("control: the timer refused\n");
}

void init(void) {
	uint64_t hertz = tsc_hertz(tsc_info_vaddr);

	page = (struct control_page *)control_vaddr;
	deadlines_start(&page->deadlines, hertz / PERIODS_PER_SECOND, tsc_read());
	wait_for_release();
}

void notified(microkit_channel channel) {
	uint64_t start = tsc_read();

	if (channel != TIMER || start < page->deadlines.release) return;
	control();
	deadlines_ran(&page->deadlines, start, tsc_read());
	wait_for_release();
}
