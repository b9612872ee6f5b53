// SPDX-License-Identifier: BSD-2-Clause
// A clock without a device: yielding the rest of the budget ends in the next period.
#include <microkit.h>

void init(void) {
	for (;;) {
		seL4_Yield();
		microkit_notify(0);
	}
}

void notified(microkit_channel channel) { (void)channel; }
