// SPDX-License-Identifier: BSD-2-Clause
// The clock in CMOS memory.
#pragma once

#include <stdint.h>

struct rtc_time {
	uint8_t second;
	uint8_t minute;
	uint8_t hour;
	uint8_t day;
	uint8_t month;
	uint8_t year; // of the century
	uint8_t century;
	uint8_t status_b;
};

// Seconds since 1970 UTC of register values as read, BCD or binary, 12 or 24 hours. Pure.
uint64_t rtc_seconds(const struct rtc_time *time);

// Read the clock, at a moment when it does not change.
uint64_t rtc_read(void);
