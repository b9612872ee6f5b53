// SPDX-License-Identifier: BSD-2-Clause
// Lets its child, on another core, continue after an invalid instruction.
#include "record.h"

enum {
	INSTRUCTION_LENGTH = 2, // of UD2
	REPLY_WORDS = 3,
};

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

seL4_Bool fault(microkit_child, microkit_msginfo message, microkit_msginfo *reply) {
	note(RECORD_PARENT, core_here());
	if (microkit_msginfo_get_label(message) != seL4_Fault_UserException) return seL4_False;
	microkit_mr_set(0, microkit_mr_get(0) + INSTRUCTION_LENGTH);
	*reply = microkit_msginfo_new(0, REPLY_WORDS);
	return seL4_True;
}
