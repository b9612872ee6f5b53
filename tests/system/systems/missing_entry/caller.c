// SPDX-License-Identifier: BSD-2-Clause
// Calls a component that cannot be called.
#include <microkit.h>

void init(void) { microkit_ppcall(0, microkit_msginfo_new(0, 0)); }

void notified(microkit_channel channel) { (void)channel; }
