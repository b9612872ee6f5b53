// SPDX-License-Identifier: BSD-2-Clause
// A passive server: it answers where its caller is, and handles notifications on its own core.
#include "record.h"

void init(void) { note(RECORD_SERVER, core_here()); }

void notified(microkit_channel) { note(RECORD_SERVER, core_here()); }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	microkit_mr_set(0, core_here());
	return microkit_msginfo_new(0, 1);
}
