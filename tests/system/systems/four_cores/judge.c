// SPDX-License-Identifier: BSD-2-Clause
// Waits until every component has noted what it should, or a while; the timer is on another core.
#include "record.h"

#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	INTERVAL = 10000, // microseconds
	INTERVALS = 200,
};

static const struct expectation {
	const char *who;
	unsigned count;
	uint8_t cores[16];
} expectations[RECORDS] = {
	[RECORD_FAULTER] = {"faulter", 3, {2, 2, 2}},
	// At the start, and when it was notified.
	[RECORD_SERVER] = {"server", 2, {1, 1}},
	[RECORD_NEAR] = {"near", 3, {0, 0, 0}},
	[RECORD_FAR] = {"far", 3, {3, 3, 3}},
	[RECORD_PARENT] = {"parent", 1, {0}},
	[RECORD_KID] = {"kid", 2, {3, 3}},
	[RECORD_PINGER] = {"pinger", 1, {1}},
	[RECORD_PONGER] = {"ponger", 1, {2}},
	[RECORD_CRASHER] = {"crasher", 4, {3, 3, 3, 3}},
	// Four of each life, and the first of the last.
	[RECORD_HAMMER] = {"hammer", 13, {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}},
};

// Written by notified only.
static unsigned intervals;
static bool is_over;

static void sleep_now(void) {
	microkit_mr_set(0, INTERVAL);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("wrong: the timer refused\n");
}

static bool have_all_noted(void) {
	for (unsigned i = 0; i < RECORDS; i++) {
		if (record_of(i)->count < expectations[i].count) return false;
	}
	return true;
}

static bool is_right(unsigned number) {
	const struct expectation *expected = &expectations[number];
	volatile struct record *record = record_of(number);
	bool right = record->count == expected->count;

	if (!right)
		print("wrong: %s noted %u events, not %u\n", expected->who, record->count,
			expected->count);
	for (unsigned i = 0; i < expected->count && i < record->count; i++) {
		if (record->cores[i] == expected->cores[i]) continue;
		print("wrong: event %u of %s was on core %u, not %u\n", i, expected->who,
			record->cores[i], expected->cores[i]);
		right = false;
	}
	return right;
}

static void judge(void) {
	bool right = true;

	for (unsigned i = 0; i < RECORDS; i++)
		right &= is_right(i);
	print(right ? "four cores: all right\n" : "four cores: not all right\n");
}

void init(void) { sleep_now(); }

// An interval more than all need: what the initial task prints of them is out by then.
void notified(microkit_channel) {
	if (is_over) {
		judge();
		return;
	}
	is_over = have_all_noted() || ++intervals == INTERVALS;
	sleep_now();
}
