// SPDX-License-Identifier: BSD-2-Clause
// Which engine a core has.
#include <guest/engine.h>

bool guest_engine_is_on(void) { return guest_engine(); }

void guest_engine_init(void) {
	if (guest_vmx.init()) this_cpu()->engine = &guest_vmx;
}
