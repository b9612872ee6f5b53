// SPDX-License-Identifier: BSD-2-Clause
// A server that crashes at the fifth call of each of its lives.
#include "record.h"

enum { CALLS = 5 };

// Written by protected only.
static unsigned calls;

void init(void) { note(RECORD_CRASHER, core_here()); }

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	if (++calls == CALLS) microkit_internal_crash(seL4_NoError);
	microkit_mr_set(0, core_here());
	return microkit_msginfo_new(0, 1);
}
