// SPDX-License-Identifier: BSD-2-Clause
// The example server: answers protected calls with a small computation and counts them.
#include "arithmetic_protocol.h"

#include <microkit.h>

// Written by protected only.
static uint64_t calls;

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel channel, microkit_msginfo request) {
	(void)channel;
	if (microkit_msginfo_get_label(request) != ARITHMETIC_NEXT ||
		microkit_msginfo_get_count(request) < 1)
		return microkit_msginfo_new(ARITHMETIC_BAD_REQUEST, 0);
	calls++;
	microkit_mr_set(0, arithmetic_next(microkit_mr_get(0)));
	microkit_mr_set(1, calls);
	return microkit_msginfo_new(ARITHMETIC_OK, 2);
}
