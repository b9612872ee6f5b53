// SPDX-License-Identifier: BSD-2-Clause
// Reset and power-off: the reset control register (CF9h), the keyboard controller's reset command
// (64h), the ACPI sleep registers and power button of a hardware-reduced platform, where an edge of
// an interrupt is the press (ACPI 4.8.3.1, 5.6.9); and the port by which a kernel tells of its
// panic (QEMU's specification of pvpanic).
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/irq/line.h>

enum power_request {
	POWER_NONE,
	POWER_RESET,
	POWER_OFF,
	POWER_PANIC,
};

enum {
	POWER_RESET_PORT = 0xcf9,
	POWER_RESET_VALUE = 0x06,
	POWER_SLEEP_CONTROL_PORT = 0x600,
	POWER_SLEEP_STATUS_PORT = 0x601,
	POWER_OFF_SLEEP_TYPE = 5,
	POWER_PANIC_PORT = 0x505,
	POWER_BUTTON_PIN = 9, // of the I/O APIC, as the DSDT says
};

struct power {
	struct bus_window reset, keyboard, sleep, panic, nmi;
	enum power_request request; // written here, taken and cleared by the machine
	uint8_t reset_control;
	struct line button;
};

// Answers on the buses; false if something else does there. The reset control register is a byte
// among PCI's configuration ports, which leave it to a bus beside them.
[[nodiscard]] bool power_attach(struct power *power, struct bus *ports, struct bus *beside_pci);
void power_reset(struct power *power);
// Someone presses the button, shortly.
void power_press(struct power *power);
