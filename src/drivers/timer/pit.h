// SPDX-License-Identifier: BSD-2-Clause
// Channel 0 of the PIT as a one-shot timer: it interrupts on I/O APIC pin 2 of a PC, like timer 0
// of an HPET with the legacy route.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// False when the description grants no ports, or no counter runs behind them within this many ticks
// of the TSC.
[[nodiscard]] bool pit_init(uint64_t patience);

// Interrupt after about this many nanoseconds, earlier when the time is longer than 54 ms.
void pit_arm(uint64_t nanoseconds);
