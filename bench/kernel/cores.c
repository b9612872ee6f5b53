// SPDX-License-Identifier: BSD-2-Clause
// Helpers on other cores.
#include "cores.h"

enum {
	SLICE = 10000000, // microseconds: no timer ends a measurement
	PASSES = 1000
};

_Bool cores_are(uint64_t count) {
	if (world.bootinfo->node_count >= count) return 1;
	row_skip("this machine has too few cores");
	return 0;
}

void core_move(struct helper *helper, uint64_t core) {
	CHECK_OK(invoke(world.bootinfo->sched_control.start + core,
		LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAPS(helper->sched_context),
		WORDS(SLICE, SLICE, 0, 0, 0)));
}

struct helper *core_helper(uint64_t core, uint64_t priority) {
	struct helper *helper = helper_make(priority);

	core_move(helper, core);
	return helper;
}

void core_wait(const struct helper *helper) {
	while (!helper->done)
		core_relax();
}

void core_pass(void) {
	for (unsigned pass = 0; pass < PASSES; pass++)
		core_relax();
}
