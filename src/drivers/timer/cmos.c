// SPDX-License-Identifier: BSD-2-Clause
// Access to CMOS memory through I/O port capability 0: index at 0x70, data at 0x71.
#include <drivers/timer/rtc.h>

#include <microkit.h>

#include <base/memory.h>
#include <x86/cmos.h>

enum {
	PORT_ID = 0,
	READ_ATTEMPTS = 1000000,
};

static uint8_t cmos_read(enum cmos_register index) {
	microkit_x86_ioport_write_8(PORT_ID, CMOS_INDEX, index);
	return microkit_x86_ioport_read_8(PORT_ID, CMOS_DATA);
}

static struct rtc_time read_once(void) {
	return (struct rtc_time){
		.second = cmos_read(CMOS_SECOND),
		.minute = cmos_read(CMOS_MINUTE),
		.hour = cmos_read(CMOS_HOUR),
		.day = cmos_read(CMOS_DAY),
		.month = cmos_read(CMOS_MONTH),
		.year = cmos_read(CMOS_YEAR),
		.century = cmos_read(CMOS_CENTURY),
		.status_b = cmos_read(CMOS_STATUS_B),
	};
}

// Two equal readings outside an update are one moment.
uint64_t rtc_read(void) {
	struct rtc_time first = {0};
	struct rtc_time second = {0};

	for (int i = 0; i < READ_ATTEMPTS; i++) {
		if (cmos_read(CMOS_STATUS_A) & STATUS_A_UPDATING) continue;
		first = read_once();
		second = read_once();
		if (memcmp(&first, &second, sizeof(first)) == 0) break;
	}
	return rtc_seconds(&second);
}
