// SPDX-License-Identifier: BSD-2-Clause
// Never ends.
#include <microkit.h>

void init(void) {
	for (;;)
		asm volatile("");
}

void notified(microkit_channel channel) { (void)channel; }
