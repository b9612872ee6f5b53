// SPDX-License-Identifier: BSD-2-Clause
// Faults when it is notified.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel) { *(volatile int *)10 = 1; }
