// SPDX-License-Identifier: BSD-2-Clause
// The example client: each second a bounded batch of calls to the server, and now and then a line
// with the count. A guest can live beside it, because between two batches it does not run.
#include "arithmetic_protocol.h"

#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	CHANNEL_TIMER = 1,
	CHANNEL_SERVER = 2,
	BATCH = 500,
	LONGEST_SILENCE = 10, // seconds: the first lines come faster, the guest's are not drowned
};

// Patched by the composer.
uint64_t tsc_info_vaddr __attribute__((section(".data")));

// State of the client; one thread, written by the functions of this file only.
static uint64_t round_trips;
static uint64_t number = 1;
static uint64_t next_second;
static unsigned silence = 1; // seconds between this line and the next
static unsigned silent;

static void wait_for_next_second(void) {
	uint64_t second = tsc_hertz(tsc_info_vaddr);
	uint64_t now = tsc_read();
	microkit_msginfo answer;

	next_second += second;
	// A late start or a long pause is not made up for with a burst.
	if (next_second < now) next_second = now + second;
	microkit_mr_set(0, next_second);
	answer = microkit_ppcall(CHANNEL_TIMER, microkit_msginfo_new(TIMER_SET, 1));
	if (microkit_msginfo_get_label(answer) != TIMER_OK)
		print("the timer driver refuses; stopped\n");
}

static bool call_server(void) {
	uint64_t expected = arithmetic_next(number);
	microkit_msginfo answer;

	microkit_mr_set(0, number);
	answer = microkit_ppcall(CHANNEL_SERVER, microkit_msginfo_new(ARITHMETIC_NEXT, 1));
	number = microkit_mr_get(0);
	return microkit_msginfo_get_label(answer) == ARITHMETIC_OK && number == expected;
}

static void run_batch(void) {
	for (int i = 0; i < BATCH; i++) {
		if (!call_server()) {
			print("wrong answer from server after %lu round trips; stopped\n",
				round_trips);
			return;
		}
		round_trips++;
	}
	if (++silent >= silence) {
		print("%lu round trips to server\n", round_trips);
		silent = 0;
		if (silence < LONGEST_SILENCE) silence++;
	}
	wait_for_next_second();
}

void init(void) { run_batch(); }

void notified(microkit_channel channel) {
	if (channel == CHANNEL_TIMER) run_batch();
}
