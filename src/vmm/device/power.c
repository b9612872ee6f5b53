// SPDX-License-Identifier: BSD-2-Clause
// Reset and power-off: each port turns a documented write into a request for the machine.
#include <vmm/device/power.h>

enum {
	RESET_CONTROL_CPU = 1 << 2, // a write that sets it resets
	RESET_CONTROL_KEPT = 1 << 1,
	KEYBOARD_PULSE_RESET = 0xfe,
	SLEEP_ENABLE = 1 << 5,
	SLEEP_TYPE_SHIFT = 2,
	SLEEP_TYPE_MASK = 7,
};

static uint64_t reset_read(void *device, uint64_t, enum bus_width) {
	const struct power *power = device;
	return power->reset_control;
}

static void reset_write(void *device, uint64_t, enum bus_width, uint64_t value) {
	struct power *power = device;
	power->reset_control = value & RESET_CONTROL_KEPT;
	if (value & RESET_CONTROL_CPU) power->request = POWER_RESET;
}

// No keyboard controller answers, so the status reads as an absent device does.
static uint64_t keyboard_read(void *, uint64_t, enum bus_width) { return 0xff; }

static void keyboard_write(void *device, uint64_t, enum bus_width, uint64_t value) {
	struct power *power = device;
	if (value == KEYBOARD_PULSE_RESET) power->request = POWER_RESET;
}

static uint64_t sleep_read(void *, uint64_t, enum bus_width) { return 0; }

static void sleep_write(void *device, uint64_t offset, enum bus_width, uint64_t value) {
	struct power *power = device;
	bool control = offset == 0;
	unsigned type = value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;
	if (control && (value & SLEEP_ENABLE) && type == POWER_OFF_SLEEP_TYPE)
		power->request = POWER_OFF;
}

const struct bus_device power_reset_port = {
	.name = "reset control",
	.base = POWER_RESET_PORT,
	.size = 1,
	.widths = BUS_WIDTH_1,
	.read = reset_read,
	.write = reset_write,
};

const struct bus_device power_keyboard_port = {
	.name = "keyboard controller",
	.base = 0x64,
	.size = 1,
	.widths = BUS_WIDTH_1,
	.read = keyboard_read,
	.write = keyboard_write,
};

const struct bus_device power_sleep_ports = {
	.name = "sleep control",
	.base = POWER_SLEEP_CONTROL_PORT,
	.size = 2,
	.widths = BUS_WIDTH_1,
	.read = sleep_read,
	.write = sleep_write,
};
