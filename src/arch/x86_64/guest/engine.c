// SPDX-License-Identifier: BSD-2-Clause
// Which engine a core has.
#include <guest/engine.h>

bool guest_engine_is_on(void) { return guest_engine(); }

const struct paging_format *guest_engine_init(void) {
	const struct guest_engine *engine = feature_has(FEATURE_SVM) ? &guest_svm : &guest_vmx;

	if (engine->init()) this_cpu()->engine = engine;
	return engine->paging;
}
