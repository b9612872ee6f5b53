// SPDX-License-Identifier: BSD-2-Clause
// MC146818 clock: calendar arithmetic and the register file.
#include <vmm/device/rtc.h>

#include <x86/cmos.h>

enum {
	STATUS_A_RESET = 0x26, // 32768 Hz base, 1024 Hz rate, no update in progress
	STATUS_A_WRITABLE = 0x7f,
	STATUS_B_WRITABLE = 0x8f, // the interrupt enables stay off
};

enum { SECONDS_PER_DAY = 86400 };

// Days since 1 March of year 0 make leap days fall at the end of a year; the shift to 1970 is
// 719468 days. One era is 400 years of 146097 days.
struct rtc_time rtc_time_from_seconds(uint64_t seconds) {
	uint64_t days = seconds / SECONDS_PER_DAY + 719468;
	unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
	uint64_t era = days / 146097;
	unsigned day_of_era = (unsigned)(days % 146097);
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year = day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted_month = (5 * day_of_year + 2) / 153;
	unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

	return (struct rtc_time){
		.year = (unsigned)(era * 400) + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
		.weekday = (unsigned)((seconds / SECONDS_PER_DAY + 4) % 7) + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
}

uint64_t rtc_time_to_seconds(const struct rtc_time *time) {
	uint64_t year = time->year - (time->month <= 2);
	uint64_t era = year / 400;
	uint64_t year_of_era = year % 400;
	unsigned shifted_month = time->month > 2 ? time->month - 3 : time->month + 9;
	uint64_t day_of_year = (153 * shifted_month + 2) / 5 + time->day - 1;
	uint64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	uint64_t days = era * 146097 + day_of_era - 719468;

	return days * SECONDS_PER_DAY + time->hour * 3600ull + time->minute * 60ull + time->second;
}

uint64_t rtc_seconds(const struct rtc *rtc, uint64_t host_tsc, uint32_t *nanoseconds) {
	uint64_t elapsed = host_tsc - rtc->epoch_host;
	uint64_t hertz = rtc->clock->hertz;

	*nanoseconds = (uint32_t)(elapsed % hertz * 1000000000 / hertz);
	return rtc->epoch + elapsed / hertz;
}

static uint64_t rtc_now(const struct rtc *rtc) {
	uint32_t nanoseconds;

	return rtc_seconds(rtc, rtc->clock->read(), &nanoseconds);
}

static bool rtc_held(const struct rtc *rtc) { return rtc->cells[CMOS_STATUS_B] & STATUS_B_SET; }

static uint8_t rtc_encode(const struct rtc *rtc, unsigned value) {
	if (rtc->cells[CMOS_STATUS_B] & STATUS_B_BINARY) return (uint8_t)value;
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static unsigned rtc_decode(const struct rtc *rtc, uint8_t value) {
	if (rtc->cells[CMOS_STATUS_B] & STATUS_B_BINARY) return value;
	return (value >> 4) * 10u + (value & 0x0f);
}

static uint8_t rtc_encode_hour(const struct rtc *rtc, unsigned hour) {
	uint8_t half;

	if (rtc->cells[CMOS_STATUS_B] & STATUS_B_24_HOURS) return rtc_encode(rtc, hour);
	half = rtc_encode(rtc, hour % 12 == 0 ? 12 : hour % 12);
	return hour >= 12 ? half | CMOS_HOUR_PM : half;
}

static unsigned rtc_decode_hour(const struct rtc *rtc, uint8_t value) {
	unsigned half;

	if (rtc->cells[CMOS_STATUS_B] & STATUS_B_24_HOURS) return rtc_decode(rtc, value);
	half = rtc_decode(rtc, value & ~CMOS_HOUR_PM) % 12;
	return value & CMOS_HOUR_PM ? half + 12 : half;
}

static uint8_t rtc_read_cell(const struct rtc *rtc, uint8_t index) {
	struct rtc_time time = rtc_held(rtc) ? rtc->set : rtc_time_from_seconds(rtc_now(rtc));

	switch (index) {
	case CMOS_SECOND: return rtc_encode(rtc, time.second);
	case CMOS_MINUTE: return rtc_encode(rtc, time.minute);
	case CMOS_HOUR: return rtc_encode_hour(rtc, time.hour);
	case CMOS_WEEKDAY: return rtc_encode(rtc, time.weekday);
	case CMOS_DAY: return rtc_encode(rtc, time.day);
	case CMOS_MONTH: return rtc_encode(rtc, time.month);
	case CMOS_YEAR: return rtc_encode(rtc, time.year % 100);
	case CMOS_CENTURY: return rtc_encode(rtc, time.year / 100);
	default: return rtc->cells[index];
	}
}

// A value out of range is brought into it, so the calendar arithmetic never sees nonsense.
static unsigned clamp(unsigned value, unsigned low, unsigned high) {
	return value < low ? low : value > high ? high : value;
}

static bool rtc_set_field(struct rtc *rtc, uint8_t index, uint8_t byte) {
	struct rtc_time *time = &rtc->set;
	unsigned value = rtc_decode(rtc, byte);

	switch (index) {
	case CMOS_SECOND: time->second = clamp(value, 0, 59); return true;
	case CMOS_MINUTE: time->minute = clamp(value, 0, 59); return true;
	case CMOS_HOUR: time->hour = clamp(rtc_decode_hour(rtc, byte), 0, 23); return true;
	case CMOS_WEEKDAY: return true; // follows from the date
	case CMOS_DAY: time->day = clamp(value, 1, 31); return true;
	case CMOS_MONTH: time->month = clamp(value, 1, 12); return true;
	case CMOS_YEAR: time->year = time->year / 100 * 100 + clamp(value, 0, 99); return true;
	case CMOS_CENTURY: time->year = clamp(value, 20, 99) * 100 + time->year % 100; return true;
	default: return false;
	}
}

static void rtc_hold(struct rtc *rtc) { rtc->set = rtc_time_from_seconds(rtc_now(rtc)); }

static void rtc_release(struct rtc *rtc) {
	rtc->epoch = rtc_time_to_seconds(&rtc->set);
	rtc->epoch_host = rtc->clock->read();
}

static void rtc_write_status_b(struct rtc *rtc, uint8_t value) {
	bool held = rtc_held(rtc);
	bool hold = value & STATUS_B_SET;

	if (hold && !held) rtc_hold(rtc);
	if (held && !hold) rtc_release(rtc);
	rtc->cells[CMOS_STATUS_B] = value & STATUS_B_WRITABLE;
}

static void rtc_write_cell(struct rtc *rtc, uint8_t index, uint8_t value) {
	bool held = rtc_held(rtc);

	if (!held) rtc_hold(rtc);
	if (rtc_set_field(rtc, index, value)) {
		if (!held) rtc_release(rtc);
		return;
	}
	if (index == CMOS_STATUS_A)
		rtc->cells[index] = value & STATUS_A_WRITABLE;
	else if (index == CMOS_STATUS_B)
		rtc_write_status_b(rtc, value);
	else if (index != CMOS_STATUS_C && index != CMOS_STATUS_D)
		rtc->cells[index] = value;
}

static uint64_t rtc_read(void *device, uint64_t offset, enum bus_width) {
	const struct rtc *rtc = device;

	return offset == 0 ? 0xff : rtc_read_cell(rtc, rtc->index);
}

static void rtc_write(void *device, uint64_t offset, enum bus_width, uint64_t value) {
	struct rtc *rtc = device;

	// Bit 7 of the index port is the NMI gate, which this machine does not have.
	if (offset == 0)
		rtc->index = value % RTC_CELLS;
	else
		rtc_write_cell(rtc, rtc->index, (uint8_t)value);
}

void rtc_start(struct rtc *rtc, const struct clock *clock, uint64_t seconds, uint64_t host_tsc) {
	*rtc = (struct rtc){
		.window = rtc->window,
		.clock = clock,
		.epoch = seconds,
		.epoch_host = host_tsc,
		.cells[CMOS_STATUS_A] = STATUS_A_RESET,
		.cells[CMOS_STATUS_B] = STATUS_B_24_HOURS,
		.cells[CMOS_STATUS_D] = STATUS_D_VALID,
	};
}

static const struct bus_ops rtc_ops = {
	.name = "real-time clock",
	.widths = BUS_WIDTH_1,
	.read = rtc_read,
	.write = rtc_write,
};

bool rtc_attach(struct rtc *rtc, struct bus *ports) {
	rtc->window = (struct bus_window){&rtc_ops, rtc, CMOS_INDEX, 2, NULL};
	return bus_add(ports, &rtc->window);
}
