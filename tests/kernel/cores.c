// SPDX-License-Identifier: BSD-2-Clause
// Helpers on other cores.
#include "cores.h"
#include <x86/cpuid.h>

enum { LEAF_1_EBX_ID_SHIFT = 24, WAIT_US = 15000000, STAND_US = 2000 };

static unsigned ids[CORES_MOST]; // of the hardware; by core_id
static bool has_id[CORES_MOST];

unsigned core_count(void) { return (unsigned)world.bootinfo->node_count; }

unsigned core_other(unsigned number) {
	if (core_count() < 2) test_fail(HERE, "there is one core");
	return 1 + number % (core_count() - 1);
}

struct message core_configure(unsigned core, uint64_t sched_context, struct sched_setting setting) {
	return invoke(world.bootinfo->sched_control.start + core,
		LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAPS(sched_context),
		WORDS(setting.budget, setting.period, setting.refills, setting.badge,
			setting.flags));
}

struct message core_move(unsigned core, uint64_t sched_context) {
	return core_configure(core, sched_context,
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
}

struct helper *core_helper(unsigned core, uint64_t priority) {
	struct helper *helper = helper_make(priority);

	CHECK_OK(core_move(core, helper->sched_context));
	return helper;
}

struct helper *core_start(unsigned core, uint64_t priority, void (*run)(struct helper *helper)) {
	struct helper *helper = core_helper(core, priority);

	helper_start(helper, run);
	return helper;
}

unsigned core_hardware_id(void) { return cpuid(LEAF_FEATURES, 0).ebx >> LEAF_1_EBX_ID_SHIFT; }

static void tell_once(struct helper *helper) { helper->result[0] = core_hardware_id(); }

unsigned core_id(unsigned core) {
	struct helper *helper;

	if (has_id[core]) return ids[core];
	if (core == 0) {
		ids[0] = core_hardware_id();
	} else {
		helper = core_start(core, PRIORITY_HELPER, tell_once);
		CHECK_MEANWHILE(helper->done);
		ids[core] = (unsigned)helper->result[0];
	}
	has_id[core] = true;
	return ids[core];
}

void core_spin(struct helper *helper) {
	for (;;) {
		helper->result[0] = core_hardware_id();
		helper->count++;
		core_relax();
	}
}

void core_serve(struct helper *helper) {
	struct message message = ipc_recv(helper->argument[0], helper->argument[1]);

	for (;;) {
		helper->result[0] = core_hardware_id();
		helper->result[1] = message.badge;
		helper->count++;
		message = ipc_reply_recv(helper->argument[0], helper->argument[1],
			WORDS(message.words[0] + 1, helper->result[0]));
	}
}

void core_call_once(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 1, WORDS(7));
	helper->result[0] = core_hardware_id();
}

void core_wait_once(struct helper *helper) {
	helper->result[1] = 1;
	helper->message = ipc_wait(helper->argument[0]);
	helper->result[0] = core_hardware_id();
}

void core_pass(uint64_t microseconds) {
	uint64_t end = tsc_read() + tsc_of(microseconds);

	while (tsc_read() < end)
		core_relax();
}

void core_check_counts(struct place place, const struct helper *helper, unsigned core) {
	uint64_t end = tsc_read() + tsc_of(WAIT_US), from = helper->count;

	// What was written before it moved may be there yet: so it must count twice.
	while (helper->count < from + 2) {
		if (tsc_read() > end) test_fail(place, "the helper does not run");
		core_relax();
	}
	check_equal(place, "its core", helper->result[0], core_id(core));
}

void core_check_stands(struct place place, const struct helper *helper) {
	uint64_t count = helper->count;

	core_pass(STAND_US);
	check_equal(place, "what the helper has counted", helper->count, count);
}
