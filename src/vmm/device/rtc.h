// SPDX-License-Identifier: BSD-2-Clause
// MC146818 clock with CMOS memory behind ports 70h and 71h. The time runs with the guest's clock;
// alarm, periodic and update interrupts do not exist.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/host/clock.h>

struct rtc_time {
	unsigned year, month, day, weekday, hour, minute, second; // weekday: 1 is Sunday
};

enum { RTC_CELLS = 128 };

struct rtc {
	struct bus_window window;
	const struct clock *clock;
	uint64_t epoch; // seconds since 1970 when the host's counter stood at epoch_host
	uint64_t epoch_host;
	uint8_t index;
	uint8_t cells[RTC_CELLS];
	struct rtc_time set; // what the guest writes while the SET bit holds the clock
};

// Answers on the bus; false if something else does there.
[[nodiscard]] bool rtc_attach(struct rtc *rtc, struct bus *ports);
// The wall clock shows `seconds` since 1970 UTC at the given value of the host's counter.
void rtc_start(struct rtc *rtc, const struct clock *clock, uint64_t seconds, uint64_t host_tsc);

// The wall clock at a value of the host's counter that is not before the clock was last set.
[[nodiscard]] uint64_t rtc_seconds(const struct rtc *rtc, uint64_t host_tsc, uint32_t *nanoseconds);

// Calendar arithmetic, exact for the years 1970 to 9999.
struct rtc_time rtc_time_from_seconds(uint64_t seconds);
[[nodiscard]] uint64_t rtc_time_to_seconds(const struct rtc_time *time);
