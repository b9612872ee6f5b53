// SPDX-License-Identifier: BSD-2-Clause
// Notes where the server answered; then notifies it, if the description says so.
#include "record.h"

enum {
	SERVER = 1,
	CALLS = 3,
};

// Patched by the composer.
seL4_Word record_number;
seL4_Word must_notify;

void init(void) {
	for (int i = 0; i < CALLS; i++) {
		microkit_ppcall(SERVER, microkit_msginfo_new(0, 0));
		note((unsigned)record_number, (uint8_t)microkit_mr_get(0));
	}
	if (must_notify) microkit_notify(SERVER);
}

void notified(microkit_channel channel) { (void)channel; }
