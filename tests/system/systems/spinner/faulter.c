// SPDX-License-Identifier: BSD-2-Clause
// Faults at once.
#include <microkit.h>

void init(void) { *(volatile int *)0x10 = 1; }

void notified(microkit_channel ch) { (void)ch; }
