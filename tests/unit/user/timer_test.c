// SPDX-License-Identifier: BSD-2-Clause
// The timer driver's time-outs and its clock.
#include "test.h"

#include <drivers/timer/queue.h>
#include <drivers/timer/rtc.h>
#include <drivers/timer/ticks.h>
#include <nacre/tsc.h>
#include <time.h>

static void queue(void) {
	struct timer_queue queue = {0};
	uint64_t deadline;

	check(!timer_queue_next(&queue, &deadline));
	timer_queue_set(&queue, 0, 300);
	timer_queue_set(&queue, 61, 100);
	timer_queue_set(&queue, 5, 200);
	check(timer_queue_next(&queue, &deadline) && deadline == 100);
	check(timer_queue_expire(&queue, 99) == 0);
	check(timer_queue_expire(&queue, 200) == (1ul << 61 | 1ul << 5));
	check(timer_queue_expire(&queue, 200) == 0);
	timer_queue_set(&queue, 0, 400);
	check(timer_queue_next(&queue, &deadline) && deadline == 400);
	timer_queue_cancel(&queue, 0);
	check(!timer_queue_next(&queue, &deadline));
	timer_queue_set(&queue, 1, UINT64_MAX);
	check(timer_queue_next(&queue, &deadline) && deadline == UINT64_MAX);
}

// All clients there can be, with deadlines from the last to the first, and two at a time.
static void queue_full(void) {
	struct timer_queue queue = {0};
	uint64_t deadline;

	for (unsigned i = 0; i < TIMER_CLIENTS; i++)
		timer_queue_set(&queue, i, 1000 - i / 2);
	for (unsigned i = TIMER_CLIENTS; i >= 2; i -= 2) {
		check(timer_queue_next(&queue, &deadline) && deadline == 1000 - (i - 1) / 2);
		check(timer_queue_expire(&queue, deadline) == 3ul << (i - 2));
	}
	check(!timer_queue_next(&queue, &deadline));
}

static void counter_ticks(void) {
	const struct tick_range pit = {838095345, 2, 0xffff};
	const struct tick_range hpet = {100000000, 64, 1 << 30};

	check(ticks_of(&pit, 0) == 2);
	check(ticks_of(&pit, 1000000) == 1193);
	check(ticks_of(&pit, 54924577) == 0xfffe);
	check(ticks_of(&pit, 54924578) == 0xffff);
	check(ticks_of(&pit, UINT64_MAX) == 0xffff);
	check(ticks_of(&hpet, 6000) == 64);
	check(ticks_of(&hpet, 1000000000) == 10000000);
	check(ticks_of(&hpet, UINT64_MAX) == 1 << 30);
}

static void tsc_ticks(void) {
	check(ticks_to_nanoseconds(0, 2400000000) == 0);
	check(ticks_to_nanoseconds(2400, 2400000000) == 1000);
	check(ticks_to_nanoseconds(3601, 2400000000) == 1500);
	check(ticks_to_nanoseconds(2399184000, 2399184000) == 1000000000);
	check(ticks_to_nanoseconds(UINT64_MAX, 1000000) == UINT64_MAX);
	check(ticks_to_nanoseconds(UINT64_MAX, 1000000000) >= UINT64_MAX - 1000000000);
	check(ticks_to_nanoseconds(UINT64_MAX, 2000000000) == UINT64_MAX / 2);
	check(ticks_after(5, 3, 1000000000) == 3005);
	check(ticks_after(0, 1000000, 2399184321) == 2399184321);
	check(ticks_after(0, 1, 2399184321) == 2400);
	check(ticks_after(5, UINT64_MAX, 1000000000) == UINT64_MAX);
	check(ticks_after(5, UINT64_MAX / 2, 3000000) == UINT64_MAX);
	check(ticks_after(5, 0, 3000000) == 5);
}

static void tsc_rate(void) {
	struct tsc_information information = {.frequency = {BOOTINFO_TSC_FREQUENCY, 0}};

	check(tsc_hertz((uint64_t)&information) == 0);
	information.frequency.length = 20;
	information.megahertz = 2399;
	check(tsc_hertz((uint64_t)&information) == 2399000000);
	information.rate = (struct bootinfo_chunk){BOOTINFO_TSC_RATE, 24};
	information.hertz = 2399184321;
	check(tsc_hertz((uint64_t)&information) == 2399184321);
}

static uint8_t bcd(int value) { return (uint8_t)(value / 10 << 4 | value % 10); }

// Every 12 hours and some over 130 years, in BCD, against the C library.
static void clock_bcd(void) {
	for (time_t now = 0; now < 130l * 365 * 86400; now += 43200 + 61) {
		struct tm tm;

		gmtime_r(&now, &tm);
		check(rtc_seconds(&(struct rtc_time){
			      .second = bcd(tm.tm_sec),
			      .minute = bcd(tm.tm_min),
			      .hour = bcd(tm.tm_hour),
			      .day = bcd(tm.tm_mday),
			      .month = bcd(tm.tm_mon + 1),
			      .year = bcd(tm.tm_year % 100),
			      .century = bcd(19 + tm.tm_year / 100),
			      .status_b = 2,
		      }) == (uint64_t)now);
	}
}

static void clock_variants(void) {
	struct rtc_time time = {.day = 1, .month = 1, .year = 26, .century = 20, .status_b = 6};
	uint64_t midnight = 1767225600; // 2026-01-01

	check(rtc_seconds(&time) == midnight);
	time.century = 0xff;
	check(rtc_seconds(&time) == midnight);
	// Twelve-hour mode: 12 is 0, the top bit means afternoon.
	time.status_b = 4;
	time.hour = 12;
	check(rtc_seconds(&time) == midnight);
	time.hour = 12 | 0x80;
	check(rtc_seconds(&time) == midnight + 12 * 3600);
	time.hour = 11 | 0x80;
	check(rtc_seconds(&time) == midnight + 23 * 3600);
}

static const struct test rows[] = {
	{"user/timer/queue", "time-outs expire in order, one a client", queue},
	{"user/timer/queue-full", "as many clients as there are channels have a time-out each",
		queue_full},
	{"user/timer/counter-ticks", "times become ticks of a counter, within its range",
		counter_ticks},
	{"user/timer/tsc-rate", "the exact rate is used where the kernel reports it", tsc_rate},
	{"user/timer/tsc-ticks", "ticks become times and deadlines, and large ones the largest",
		tsc_ticks},
	{"user/timer/clock", "CMOS dates become seconds since 1970", clock_bcd},
	{"user/timer/variants", "binary, twelve-hour and century-less clocks are read",
		clock_variants},
};

const struct tests timer_tests = {rows, array_count(rows)};
