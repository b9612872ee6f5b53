// SPDX-License-Identifier: BSD-2-Clause
// What clients request from the timer driver by protected calls. Each client has one pending
// time-out; its end is a notification on the same channel. Setting one replaces a pending one; a
// time that has passed ends at once.
#pragma once

enum timer_request {
	TIMER_SET = 1, // word 0: absolute TSC value
	TIMER_CANCEL = 2, // no words; a notification may be on its way already
	TIMER_WALL_CLOCK = 3, // answer: word 0 seconds since 1970 UTC, word 1 the TSC value of that
	TIMER_SET_AFTER = 4, // word 0: microseconds from now
	TIMER_NOW = 5, // answer: word 0 TSC value, 1 its ticks a microsecond, rounded, 2 a second
};

enum timer_status {
	TIMER_OK = 0, // label of the answer
	TIMER_BAD_REQUEST = 1, // no such request, or too few words
	TIMER_NO_DEVICE = 2, // this machine has no timer the driver supports, or no TSC rate
};
