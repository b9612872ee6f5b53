// SPDX-License-Identifier: BSD-2-Clause
// Answers at once.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo message) { return message; }
