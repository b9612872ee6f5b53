// SPDX-License-Identifier: BSD-2-Clause
// Timer 0 of the HPET as a one-shot timer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Start the counter with the legacy route (timer 0 interrupts on I/O APIC pin 2). False when there
// is no usable HPET at the address.
[[nodiscard]] bool hpet_init(uint64_t vaddr);

// Interrupt after about this many nanoseconds, possibly earlier when the time is long, and until it
// is armed anew once each time the counter has gone round its 32 bits. The timer stays enabled:
// QEMU's interrupts at once where one is enabled whose comparator has passed.
void hpet_arm(uint64_t nanoseconds);
