// SPDX-License-Identifier: BSD-2-Clause
// The smallest component: says hello once and then waits for ever.
#include <microkit.h>

void init(void) { microkit_dbg_puts("hello, world\n"); }

void notified(microkit_channel channel) { (void)channel; }
