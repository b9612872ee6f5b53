// SPDX-License-Identifier: BSD-2-Clause
// Timers of the PC: the 8254 and its ports, the ACPI timer, and the HPET (IA-PC HPET 1.0a).
#pragma once

enum pit_port { PIT_CHANNEL_0 = 0x40, PIT_CHANNEL_2 = 0x42, PIT_COMMAND = 0x43 };

enum { PIT_HZ = 1193182, PM_HZ = 3 * PIT_HZ };

enum hpet_register {
	HPET_CAPABILITIES = 0x000, // the upper half: femtoseconds a tick
	HPET_PERIOD = 0x004,
	HPET_CONFIGURATION = 0x010,
	HPET_COUNTER = 0x0f0,
	HPET_TIMER0_CONFIGURATION = 0x100,
	HPET_TIMER0_COMPARATOR = 0x108,
};

enum { HPET_ENABLE = 1 << 0, HPET_LEGACY_ROUTE = 1 << 1 }; // of the configuration

#define HPET_PERIOD_MOST 100000000ul // femtoseconds; the specification forbids larger values
