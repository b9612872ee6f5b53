// SPDX-License-Identifier: BSD-2-Clause
// The keyboard's controller (Intel 8042 of the PC AT; IBM PS/2 Hardware Interface Technical
// Reference, keyboard and auxiliary device controller). Pure: the ports are the caller's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	I8042_DATA = 0x60,
	I8042_STATUS = 0x64, // a command where it is written
};

struct i8042 {
	uint8_t (*read)(uint16_t port);
	void (*write)(uint16_t port, uint8_t value);
	bool sends_leds; // the LEDs follow when the keyboard has taken the command
	uint8_t leds;
};

// Sets controller and keyboard up; false where no controller answers. A keyboard that does not may
// come later.
[[nodiscard]] bool i8042_open(struct i8042 *i8042);

// The next scan code; false when there is none.
[[nodiscard]] bool i8042_receive(struct i8042 *i8042, uint8_t *code);

void i8042_set_leds(struct i8042 *i8042, uint8_t leds);
