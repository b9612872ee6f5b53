// SPDX-License-Identifier: BSD-2-Clause
// Faults at once, each time it is started.
#include <microkit.h>

void init(void) { microkit_internal_crash(seL4_NoError); }

void notified(microkit_channel channel) { (void)channel; }
