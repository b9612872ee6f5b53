// SPDX-License-Identifier: BSD-2-Clause
// Only the entry points that every component must have.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }
