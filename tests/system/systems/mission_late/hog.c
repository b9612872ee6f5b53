// SPDX-License-Identifier: BSD-2-Clause
// Uses its whole budget in each of its periods.
#include <microkit.h>

void init(void) {
	for (;;)
		__asm__ volatile("pause");
}

void notified(microkit_channel) {}
