// SPDX-License-Identifier: BSD-2-Clause
// Shows what control loop and filter count, of which it only reads the pages, and what becomes of
// the guests, which it could command as well.
#include <microkit.h>

#include "control.h"
#include "verdict.h"

#include <nacre/guest.h>
#include <nacre/print.h>
#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	TIMER = 1,
	SECOND = 1000000, // microseconds
	SECONDS_PER_LINE = 10, // of the loop; a missed deadline is shown within one
};

// Patched by the composer: the two pages, those of the guests, the rate of the time stamp counter.
seL4_Word control_vaddr;
seL4_Word counts_vaddr;
seL4_Word guest_vaddr;
seL4_Word guest1_vaddr;
seL4_Word tsc_info_vaddr;

static const char *const names[SIDES] = {"left", "right"};

// Written by the functions of this file only; a component is one thread.
static uint64_t seconds;
static uint64_t missed_shown;
static uint64_t frames_shown[SIDES];
static struct guest guests[SIDES];

static void wait_a_second(void) {
	microkit_mr_set(0, SECOND);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("the timer refused\n");
}

static uint64_t microseconds(uint64_t ticks) { return ticks * SECOND / tsc_hertz(tsc_info_vaddr); }

static void show_control(void) {
	struct control_page seen = *(const volatile struct control_page *)control_vaddr;
	// A loop that does not come back misses deadlines as well.
	uint64_t missed = seen.deadlines.missed + deadlines_overdue(&seen.deadlines, tsc_read());

	if (missed == missed_shown && seconds % SECONDS_PER_LINE != 0) return;
	missed_shown = missed;
	print("control: %lu ms, %lu deadlines missed; starts at most %lu us late, takes at most "
	      "%lu us; height %ld mm\n",
		seen.deadlines.iterations + missed, missed, microseconds(seen.deadlines.latest),
		microseconds(seen.deadlines.longest), seen.height / MILLIMETRE);
}

static uint64_t sum(const uint64_t *frames, unsigned first, unsigned end) {
	uint64_t all = 0;

	for (unsigned i = first; i < end; i++)
		all += frames[i];
	return all;
}

static void show_filter(unsigned side) {
	struct filter_counts seen = *(const volatile struct filter_counts *)counts_vaddr;
	const uint64_t *frames = seen.frames[side];
	uint64_t all = sum(frames, 0, VERDICTS);

	if (all == frames_shown[side]) return;
	frames_shown[side] = all;
	print("from %s: passed %lu (%lu ARP, %lu ping, %lu ssh, %lu UDP), no room for %lu; "
	      "dropped %lu (%lu TCP, %lu UDP, %lu other protocols, %lu no IPv4, %lu fragments, "
	      "%lu broken)\n",
		names[side], sum(frames, 0, FIRST_DROP), frames[PASS_ARP], frames[PASS_PING],
		frames[PASS_SSH], frames[PASS_UDP], seen.overflows[side],
		sum(frames, FIRST_DROP, VERDICTS), frames[DROP_TCP], frames[DROP_UDP],
		frames[DROP_PROTOCOL], frames[DROP_KIND], frames[DROP_FRAGMENT],
		frames[DROP_BROKEN]);
}

static void show_guest(unsigned side) {
	struct guest_status seen = guest_status(&guests[side]);

	print("%s is %s since %s, started again %u times\n", names[side],
		guest_state_name(seen.state), guest_cause_name(seen.cause), seen.restarts);
}

void init(void) {
	const seL4_Word pages[SIDES] = {guest_vaddr, guest1_vaddr};

	for (unsigned side = 0; side < SIDES; side++) {
		if (!guest_open(&guests[side], pages[side], GUEST_CHANNEL + side))
			print("no page of %s\n", names[side]);
	}
	wait_a_second();
}

static void show_all(void) {
	seconds++;
	show_control();
	for (unsigned side = 0; side < SIDES; side++)
		show_filter(side);
	wait_a_second();
}

void notified(microkit_channel channel) {
	if (channel == TIMER)
		show_all();
	else if (channel >= GUEST_CHANNEL && channel < GUEST_CHANNEL + SIDES)
		show_guest(channel - GUEST_CHANNEL);
}
