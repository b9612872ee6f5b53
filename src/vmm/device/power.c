// SPDX-License-Identifier: BSD-2-Clause
// Reset and power-off: each port turns a documented write into a request for the machine.
#include <vmm/device/power.h>

enum {
	RESET_CONTROL_CPU = 1 << 2, // a write that sets it resets
	RESET_CONTROL_KEPT = 1 << 1,
	KEYBOARD_PORT = 0x64,
	KEYBOARD_PULSE_RESET = 0xfe,
	SLEEP_ENABLE = 1 << 5,
	SLEEP_TYPE_SHIFT = 2,
	SLEEP_TYPE_MASK = 7,
	PANIC_TOLD = 1 << 0,
	NMI_PORT = 0x61,
	NMI_SOURCES = 3 << 6, // bits of parity and of PCI's system error
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

// An injected NMI comes of no source that the port has; otherwise it reads as an absent one does.
static uint64_t nmi_read(void *, uint64_t, enum bus_width) { return 0xff & ~NMI_SOURCES; }

static void nmi_write(void *, uint64_t, enum bus_width, uint64_t) {}

// Which events the port knows: not those that a guest handles by itself, a crash kernel's or its
// own shutdown.
static uint64_t panic_read(void *, uint64_t, enum bus_width) { return PANIC_TOLD; }

static void panic_write(void *device, uint64_t, enum bus_width, uint64_t value) {
	struct power *power = device;

	if (value & PANIC_TOLD) power->request = POWER_PANIC;
}

void power_reset(struct power *power) {
	power->request = POWER_NONE;
	power->reset_control = 0;
}

void power_press(struct power *power) {
	line_set(&power->button, LINE_HIGH);
	line_set(&power->button, LINE_LOW);
}

static const struct bus_ops reset_ops = {"reset control", BUS_WIDTH_1, reset_read, reset_write};
static const struct bus_ops keyboard_ops = {
	"keyboard controller", BUS_WIDTH_1, keyboard_read, keyboard_write};
static const struct bus_ops sleep_ops = {"sleep control", BUS_WIDTH_1, sleep_read, sleep_write};
static const struct bus_ops nmi_ops = {"NMI status", BUS_WIDTH_1, nmi_read, nmi_write};
static const struct bus_ops panic_ops = {"panic", BUS_WIDTH_1, panic_read, panic_write};

bool power_attach(struct power *power, struct bus *ports, struct bus *beside_pci) {
	power->reset = (struct bus_window){&reset_ops, power, POWER_RESET_PORT, 1, NULL};
	power->keyboard = (struct bus_window){&keyboard_ops, power, KEYBOARD_PORT, 1, NULL};
	power->sleep = (struct bus_window){&sleep_ops, power, POWER_SLEEP_CONTROL_PORT, 2, NULL};
	power->panic = (struct bus_window){&panic_ops, power, POWER_PANIC_PORT, 1, NULL};
	power->nmi = (struct bus_window){&nmi_ops, power, NMI_PORT, 1, NULL};
	return bus_add(beside_pci, &power->reset) && bus_add(ports, &power->keyboard) &&
		bus_add(ports, &power->sleep) && bus_add(ports, &power->panic) &&
		bus_add(ports, &power->nmi);
}
