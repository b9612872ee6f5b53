// SPDX-License-Identifier: BSD-2-Clause
// The clock in CMOS memory: MC146818, and the century where PCs keep it.
#pragma once

enum cmos_port { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };

enum cmos_register {
	CMOS_SECOND = 0x00,
	CMOS_MINUTE = 0x02,
	CMOS_HOUR = 0x04,
	CMOS_WEEKDAY = 0x06,
	CMOS_DAY = 0x07,
	CMOS_MONTH = 0x08,
	CMOS_YEAR = 0x09,
	CMOS_STATUS_A = 0x0a,
	CMOS_STATUS_B = 0x0b,
	CMOS_STATUS_C = 0x0c,
	CMOS_STATUS_D = 0x0d,
	CMOS_CENTURY = 0x32,
};

enum cmos_bit {
	CMOS_HOUR_PM = 1 << 7, // of a clock of twelve hours
	STATUS_A_UPDATING = 1 << 7,
	STATUS_B_24_HOURS = 1 << 1,
	STATUS_B_BINARY = 1 << 2,
	STATUS_B_SET = 1 << 7,
	STATUS_D_VALID = 1 << 7,
};
