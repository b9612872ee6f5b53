// SPDX-License-Identifier: BSD-2-Clause
// Answers a number with the next one.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel channel, microkit_msginfo message) {
	(void)channel;
	(void)message;
	microkit_mr_set(0, microkit_mr_get(0) + 1);
	return microkit_msginfo_new(0, 1);
}
