// SPDX-License-Identifier: BSD-2-Clause
// Calls the crasher without a pause, also while that is built again: each call is answered, or says
// that the server was restarted. An answer of another kind is noted as one of no core.
#include "record.h"

enum {
	CRASHER = 1,
	RESTARTS = 3,
	NO_CORE = 0xff,
};

void init(void) {
	unsigned restarts = 0, answers_since = 0;

	while (restarts < RESTARTS || answers_since < 1) {
		microkit_msginfo tag = microkit_ppcall(CRASHER, microkit_msginfo_new(0, 0));
		seL4_Word label = microkit_msginfo_get_label(tag);

		if (label == NACRE_REPLY_RESTARTED) {
			restarts++;
			answers_since = 0;
		} else {
			answers_since++;
			note(RECORD_HAMMER, label ? NO_CORE : (uint8_t)microkit_mr_get(0));
		}
	}
}

void notified(microkit_channel channel) { (void)channel; }
