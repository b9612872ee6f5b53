// SPDX-License-Identifier: BSD-2-Clause
// Executes an invalid instruction, and notes where it was before and after it.
#include "record.h"

void init(void) {
	note(RECORD_KID, core_here());
	__asm__ volatile("ud2");
	note(RECORD_KID, core_here());
}

void notified(microkit_channel channel) { (void)channel; }
