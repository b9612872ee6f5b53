// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the clock, and of reset and power-off.
#include "../check.h"

#include <vmm/device/power.h>
#include <vmm/device/rtc.h>

#include <time.h>

static uint64_t ticks;

static uint64_t read_ticks(void) { return ticks; }

static const struct clock guest_clock = {.read = read_ticks, .hertz = 1000};

static uint8_t cell(struct rtc *rtc, uint8_t index) {
	rtc->window.ops->write(rtc, 0, BUS_WIDTH_1, index);
	return (uint8_t)rtc->window.ops->read(rtc, 1, BUS_WIDTH_1);
}

static void set_cell(struct rtc *rtc, uint8_t index, uint8_t value) {
	rtc->window.ops->write(rtc, 0, BUS_WIDTH_1, index | 0x80);
	rtc->window.ops->write(rtc, 1, BUS_WIDTH_1, value);
}

static struct rtc fresh(uint64_t seconds) {
	struct rtc rtc;

	ticks = 5000;
	check(rtc_attach(&rtc, &(struct bus){0}));
	rtc_start(&rtc, &guest_clock, seconds, ticks);
	return rtc;
}

static void test_calendar(void) {
	for (uint64_t second = 0; second < 8000000000ull; second += 8640011) {
		time_t moment = (time_t)second;
		struct tm expected;

		gmtime_r(&moment, &expected);
		struct rtc_time time = rtc_time_from_seconds(second);

		check_equal(time.year, expected.tm_year + 1900);
		check_equal(time.month, expected.tm_mon + 1);
		check_equal(time.day, expected.tm_mday);
		check_equal(time.weekday, expected.tm_wday + 1);
		check_equal(time.hour, expected.tm_hour);
		check_equal(time.minute, expected.tm_min);
		check_equal(time.second, expected.tm_sec);
		check_equal(rtc_time_to_seconds(&time), second);
	}
}

static void test_bcd(void) {
	struct rtc rtc = fresh(951827696); // 2000-02-29 12:34:56

	check_equal(cell(&rtc, 0x00), 0x56);
	check_equal(cell(&rtc, 0x02), 0x34);
	check_equal(cell(&rtc, 0x04), 0x12);
	check_equal(cell(&rtc, 0x07), 0x29);
	check_equal(cell(&rtc, 0x08), 0x02);
	check_equal(cell(&rtc, 0x09), 0x00);
	check_equal(cell(&rtc, 0x32), 0x20);
	check_equal(cell(&rtc, 0x0a) & 0x80, 0);
	check_equal(cell(&rtc, 0x0d), 0x80);
	ticks += 4000;
	check_equal(cell(&rtc, 0x00), 0x00);
	check_equal(cell(&rtc, 0x02), 0x35);
}

static void test_modes(void) {
	struct rtc rtc = fresh(951861296); // 21:54:56

	set_cell(&rtc, 0x0b, 0x06);
	check_equal(cell(&rtc, 0x04), 21);
	set_cell(&rtc, 0x0b, 0x00);
	check_equal(cell(&rtc, 0x04), 0x89);
	set_cell(&rtc, 0x04, 0x12);
	set_cell(&rtc, 0x0b, 0x02);
	check_equal(cell(&rtc, 0x04), 0x00);
}

static void test_set(void) {
	struct rtc rtc = fresh(0);

	set_cell(&rtc, 0x0b, 0x82);
	set_cell(&rtc, 0x32, 0x20);
	set_cell(&rtc, 0x09, 0x24);
	set_cell(&rtc, 0x08, 0x12);
	set_cell(&rtc, 0x07, 0x31);
	set_cell(&rtc, 0x04, 0x23);
	set_cell(&rtc, 0x02, 0x59);
	set_cell(&rtc, 0x00, 0x58);
	ticks += 100000;
	check_equal(cell(&rtc, 0x00), 0x58);
	set_cell(&rtc, 0x0b, 0x02);
	ticks += 3000;
	check_equal(cell(&rtc, 0x00), 0x01);
	check_equal(cell(&rtc, 0x09), 0x25);
	check_equal(cell(&rtc, 0x08), 0x01);
}

static void test_junk(void) {
	struct rtc rtc = fresh(1700000000);
	uint32_t seed = 7;

	for (unsigned i = 0; i < 100000; i++) {
		seed = seed * 1664525 + 1013904223;
		set_cell(&rtc, (uint8_t)(seed >> 8), (uint8_t)(seed >> 16));
		(void)cell(&rtc, (uint8_t)(seed >> 24));
	}
	set_cell(&rtc, 0x0b, 0x02);
	check(cell(&rtc, 0x08) >= 1 && cell(&rtc, 0x08) <= 0x12);
	check_equal(rtc.window.ops->read(&rtc, 0, BUS_WIDTH_1), 0xff);
}

static void test_reset(void) {
	struct power power = {0};
	struct bus ports = {0};

	check(power_attach(&power, &ports, &ports));
	bus_write(&ports, POWER_RESET_PORT, BUS_WIDTH_1, 0x02);
	check_equal(power.request, POWER_NONE);
	check_equal(bus_read(&ports, POWER_RESET_PORT, BUS_WIDTH_1), 0x02);
	bus_write(&ports, POWER_RESET_PORT, BUS_WIDTH_1, POWER_RESET_VALUE);
	check_equal(power.request, POWER_RESET);
	power.request = POWER_NONE;
	bus_write(&ports, 0x64, BUS_WIDTH_1, 0xd1);
	check_equal(power.request, POWER_NONE);
	bus_write(&ports, 0x64, BUS_WIDTH_1, 0xfe);
	check_equal(power.request, POWER_RESET);
}

static void test_off(void) {
	struct power power = {0};
	struct bus ports = {0};

	check(power_attach(&power, &ports, &ports));
	bus_write(&ports, POWER_SLEEP_CONTROL_PORT, BUS_WIDTH_1, 5 << 2);
	bus_write(&ports, POWER_SLEEP_CONTROL_PORT, BUS_WIDTH_1, 3 << 2 | 0x20);
	bus_write(&ports, POWER_SLEEP_STATUS_PORT, BUS_WIDTH_1, 5 << 2 | 0x20);
	check_equal(power.request, POWER_NONE);
	bus_write(&ports, POWER_SLEEP_CONTROL_PORT, BUS_WIDTH_1, 5 << 2 | 0x20);
	check_equal(power.request, POWER_OFF);
}

int main(void) {
	static const struct test tests[] = {
		{"rtc.calendar", "dates agree with the C library over 250 years", test_calendar},
		{"rtc.bcd", "the registers show the time in BCD and it passes", test_bcd},
		{"rtc.modes", "binary and 12-hour formats work", test_modes},
		{"rtc.set", "the guest sets the clock under the SET bit", test_set},
		{"rtc.junk", "random writes leave a valid date", test_junk},
		{"power.reset", "reset register and keyboard controller ask for a reset",
			test_reset},
		{"power.off", "only sleep type 5 with the enable bit powers off", test_off},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
