// SPDX-License-Identifier: BSD-2-Clause
// What clients ask the timer driver by protected calls. Times are TSC values. Each client has one
// pending time-out; its end is a notification on the same channel.
#pragma once

enum timer_request {
	TIMER_SET = 1, // word 0: absolute TSC value; replaces a pending time-out
	TIMER_CANCEL = 2, // no words
	TIMER_WALL_CLOCK = 3, // answer: word 0 seconds since 1970 UTC, word 1 the TSC value of that
};

enum timer_status {
	TIMER_OK = 0, // label of the answer
	TIMER_BAD_REQUEST = 1,
	TIMER_NO_DEVICE = 2, // this machine has no timer the driver knows
};
