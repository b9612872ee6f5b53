// SPDX-License-Identifier: BSD-2-Clause
// The keyboard's controller. Nothing here waits for longer than a keyboard may take.
#include <drivers/screen/i8042.h>

enum {
	STATUS_OUTPUT = 1 << 0, // there is a byte to read
	STATUS_INPUT = 1 << 1, // the last one written was not taken yet
	STATUS_MOUSE = 1 << 5, // the byte is the second device's
	STATUS_ABSENT = 0xff,

	COMMAND_READ_MODE = 0x20,
	COMMAND_WRITE_MODE = 0x60,
	COMMAND_MOUSE_OFF = 0xa7,
	COMMAND_KEYBOARD_OFF = 0xad,
	COMMAND_KEYBOARD_ON = 0xae,

	MODE_INTERRUPT = 1 << 0,
	MODE_MOUSE_INTERRUPT = 1 << 1,
	MODE_KEYBOARD_OFF = 1 << 4,
	MODE_MOUSE_OFF = 1 << 5,
	MODE_TRANSLATE = 1 << 6,

	KEYBOARD_LEDS = 0xed,
	KEYBOARD_SET = 0xf0, // of scan codes
	KEYBOARD_ENABLE = 0xf4,
	KEYBOARD_DEFAULTS = 0xf6,
	KEYBOARD_TAKEN = 0xfa,
	SCAN_CODES = 2, // which the controller translates

	// A read of a port takes about a microsecond; a keyboard answers within 20 ms.
	TRIES = 20000,
	STALE_MOST = 64, // bytes that may wait at the start
};

static uint8_t status(const struct i8042 *i8042) { return i8042->read(I8042_STATUS); }

static bool write(const struct i8042 *i8042, uint16_t port, uint8_t value) {
	for (unsigned i = 0; i < TRIES; i++) {
		if (status(i8042) & STATUS_INPUT) continue;
		i8042->write(port, value);
		return true;
	}
	return false;
}

// The next byte, within the time that is given for it.
static bool read(const struct i8042 *i8042, uint8_t *value) {
	for (unsigned i = 0; i < TRIES; i++) {
		if (!(status(i8042) & STATUS_OUTPUT)) continue;
		*value = i8042->read(I8042_DATA);
		return true;
	}
	return false;
}

// A byte to the keyboard; whether it was taken.
static bool tell(const struct i8042 *i8042, uint8_t value) {
	uint8_t said;

	if (!write(i8042, I8042_DATA, value)) return false;
	for (unsigned i = 0; i < STALE_MOST && read(i8042, &said); i++)
		if (said == KEYBOARD_TAKEN) return true;
	return false;
}

static void empty(const struct i8042 *i8042) {
	for (unsigned i = 0; i < STALE_MOST && status(i8042) & STATUS_OUTPUT; i++)
		(void)i8042->read(I8042_DATA);
}

static bool set_mode(const struct i8042 *i8042, uint8_t mode) {
	return write(i8042, I8042_STATUS, COMMAND_WRITE_MODE) && write(i8042, I8042_DATA, mode);
}

bool i8042_open(struct i8042 *i8042) {
	uint8_t mode;

	i8042->sends_leds = false;
	if (status(i8042) == STATUS_ABSENT || !write(i8042, I8042_STATUS, COMMAND_KEYBOARD_OFF) ||
		!write(i8042, I8042_STATUS, COMMAND_MOUSE_OFF))
		return false;
	empty(i8042);
	if (!write(i8042, I8042_STATUS, COMMAND_READ_MODE) || !read(i8042, &mode)) return false;
	mode &= (uint8_t) ~(MODE_INTERRUPT | MODE_MOUSE_INTERRUPT | MODE_KEYBOARD_OFF);
	mode |= MODE_MOUSE_OFF | MODE_TRANSLATE;
	if (!set_mode(i8042, mode) || !write(i8042, I8042_STATUS, COMMAND_KEYBOARD_ON))
		return false;
	// Each may be unknown to a keyboard, or to firmware that plays one.
	if (tell(i8042, KEYBOARD_DEFAULTS)) {
		if (tell(i8042, KEYBOARD_SET)) (void)tell(i8042, SCAN_CODES);
		(void)tell(i8042, KEYBOARD_ENABLE);
	}
	empty(i8042);
	return set_mode(i8042, mode | MODE_INTERRUPT);
}

bool i8042_receive(struct i8042 *i8042, uint8_t *code) {
	uint8_t state;

	for (unsigned i = 0; i < STALE_MOST; i++) {
		state = status(i8042);
		if (!(state & STATUS_OUTPUT) || state == STATUS_ABSENT) return false;
		*code = i8042->read(I8042_DATA);
		if (state & STATUS_MOUSE) continue;
		// No key has this code.
		if (*code != KEYBOARD_TAKEN) return true;
		if (i8042->sends_leds) (void)write(i8042, I8042_DATA, i8042->leds);
		i8042->sends_leds = false;
	}
	return false;
}

void i8042_set_leds(struct i8042 *i8042, uint8_t leds) {
	i8042->leds = leds;
	i8042->sends_leds = write(i8042, I8042_DATA, KEYBOARD_LEDS);
}
