// SPDX-License-Identifier: BSD-2-Clause
// Notifies without pause.
#include <microkit.h>

void init(void) {
	for (;;)
		microkit_notify(0);
}

void notified(microkit_channel channel) { (void)channel; }
