// SPDX-License-Identifier: BSD-2-Clause
// The watchdog of Intel's 6300ESB, on PCI (datasheet 300641-004, chapter 16): two stages, of which
// the end of the second resets the machine. The first one's interrupt leads to no pin.
#pragma once

#include <vmm/host/clock.h>
#include <vmm/pci/function.h>

enum watchdog_register {
	WATCHDOG_PRELOAD = 0x00, // of the first stage, then of the second
	WATCHDOG_STATUS = 0x08,
	WATCHDOG_RELOAD = 0x0c,
	WATCHDOG_SIZE = 0x10,
	WATCHDOG_CONFIG = 0x60, // configuration registers
	WATCHDOG_LOCK = 0x68,
	WATCHDOG_UNLOCK_FIRST = 0x80, // to WATCHDOG_RELOAD, before each other write
	WATCHDOG_UNLOCK_SECOND = 0x86,
	WATCHDOG_STATUS_STAGE = 1 << 0, // the first stage has ended
	WATCHDOG_RELOAD_COUNTER = 1 << 8,
	WATCHDOG_RELOAD_TIMEOUT = 1 << 9, // the second stage has ended: until 1 is written
	WATCHDOG_CONFIG_INTERRUPT = 3 << 0,
	WATCHDOG_CONFIG_FAST =
		1 << 2, // counts in microseconds instead of milliseconds, or nearly so
	WATCHDOG_CONFIG_NO_RESET = 1 << 5,
	WATCHDOG_LOCK_LOCKED = 1 << 0,
	WATCHDOG_LOCK_ENABLE = 1 << 1,
	WATCHDOG_LOCK_FREE = 1 << 2, // runs freely, and resets nothing
};

enum { WATCHDOG_STAGES = 2 };

struct watchdog {
	const struct clock *clock; // stands still with the guest, or null: there is no watchdog
	struct pci_function function;
	uint32_t preload[WATCHDOG_STAGES];
	uint32_t lock; // the lock register as it was written last
	unsigned unlocked; // writes of the sequence so far
	unsigned stage;
	uint64_t expiry; // of the stage, or CLOCK_NEVER
	bool stage_ended; // as the registers show it
	bool timed_out; // a reset does not clear it
};

void watchdog_init(struct watchdog *watchdog);
void watchdog_reset(struct watchdog *watchdog);
// Whether it resets the machine now: its second stage has ended.
[[nodiscard]] bool watchdog_poll(struct watchdog *watchdog);
