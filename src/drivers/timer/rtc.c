// SPDX-License-Identifier: BSD-2-Clause
// The clock in CMOS memory: MC146818 registers.
#include <drivers/timer/rtc.h>

#include <x86/cmos.h>

#include <stdbool.h>

enum {
	SECONDS_PER_DAY = 86400,
};

static unsigned decode(uint8_t value, uint8_t status_b) {
	return status_b & STATUS_B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static unsigned decode_hour(const struct rtc_time *time) {
	unsigned hour = decode(time->hour & ~CMOS_HOUR_PM, time->status_b);

	if (time->status_b & STATUS_B_24_HOURS) return hour;
	return hour % 12 + (time->hour & CMOS_HOUR_PM ? 12 : 0);
}

// Days from 1970-01-01 to a date of the Gregorian calendar; years count from March, so that the
// leap day is the last of its year.
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day) {
	unsigned shifted_year = month <= 2 ? year - 1 : year;
	unsigned shifted_month = (month + 9) % 12;
	uint64_t days = 365ul * shifted_year + shifted_year / 4 - shifted_year / 100 +
		shifted_year / 400 + (shifted_month * 153 + 2) / 5 + day - 1;

	return days - 719468;
}

uint64_t rtc_seconds(const struct rtc_time *time) {
	unsigned century = decode(time->century, time->status_b);
	unsigned year = decode(time->year, time->status_b);
	uint64_t days;

	// On machines without the century register the byte has another meaning.
	if (century < 19 || century > 29) century = 20;
	days = days_since_1970(century * 100 + year, decode(time->month, time->status_b),
		decode(time->day, time->status_b));
	return days * SECONDS_PER_DAY + decode_hour(time) * 3600ul +
		decode(time->minute, time->status_b) * 60ul + decode(time->second, time->status_b);
}
