// SPDX-License-Identifier: BSD-2-Clause
// A server that needs nothing.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel ch) { (void)ch; }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	return microkit_msginfo_new(5, 0);
}
