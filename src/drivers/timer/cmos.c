// SPDX-License-Identifier: BSD-2-Clause
// Access to CMOS memory through I/O port capability 0: index at 0x70, data at 0x71.
#include <drivers/timer/rtc.h>

#include <microkit.h>

#include <base/memory.h>

enum {
	PORT_ID = 0,
	INDEX_PORT = 0x70,
	DATA_PORT = 0x71,
	READ_ATTEMPTS = 1000000,
	STATUS_A_UPDATING = 1 << 7,
};

enum cmos_register {
	CMOS_SECOND = 0x00,
	CMOS_MINUTE = 0x02,
	CMOS_HOUR = 0x04,
	CMOS_DAY = 0x07,
	CMOS_MONTH = 0x08,
	CMOS_YEAR = 0x09,
	CMOS_STATUS_A = 0x0a,
	CMOS_STATUS_B = 0x0b,
	CMOS_CENTURY = 0x32,
};

static uint8_t cmos_read(enum cmos_register index) {
	microkit_x86_ioport_write_8(PORT_ID, INDEX_PORT, index);
	return microkit_x86_ioport_read_8(PORT_ID, DATA_PORT);
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
