// SPDX-License-Identifier: BSD-2-Clause
// Notifies late: when the entry point returns.
#include <microkit.h>

void init(void) {
	microkit_deferred_notify(1);
	microkit_deferred_notify(2);
	microkit_dbg_puts("speaker: init ends\n");
}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo request) {
	microkit_deferred_notify(2);
	microkit_deferred_notify(1);
	return microkit_msginfo_new(microkit_msginfo_get_label(request) + 1, 0);
}
