// SPDX-License-Identifier: BSD-2-Clause
// Faults in each of its lives.
#include "record.h"

void init(void) {
	note(RECORD_FAULTER, core_here());
	microkit_internal_crash(seL4_NoError);
}

void notified(microkit_channel channel) { (void)channel; }
