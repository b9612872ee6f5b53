// SPDX-License-Identifier: BSD-2-Clause
// Tests: the core that an interrupt comes to (IRQ-10).
#include "world.h"

enum { VECTOR = 21, BADGE = 0x2d };

static uint64_t handler_make(uint64_t notification) {
	uint64_t handler = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_MSI, CAPS(ROOT_SLOT_CNODE),
		WORDS(handler, DEPTH, 0, 2, 0, 0, VECTOR)));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		CAPS(cap_mint(notification, RIGHTS_ALL, BADGE)), WORDS()));
	return handler;
}

static void chosen_core(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0),
		 cores = world.bootinfo->node_count;
	uint64_t handler = handler_make(notification);

	CHECK_ERROR(invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS(cores)), ERROR_RANGE,
		0, cores - 1);
	for (uint64_t core = 0; core < cores; core++) {
		struct call_registers registers = {.rdi = core, .rsi = VECTOR};

		CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS(core)));
		CHECK_EQUAL(ipc_nb_wait(notification).badge, 0);
		system_call(SYSCALL_DEBUG_SEND_IPI, &registers);
		CHECK_EQUAL(ipc_wait(notification).badge, BADGE);
	}
}

static const struct test tests[] = {
	{"irq-core", "an interrupt of any core reaches its handler", chosen_core,
		"IRQSetCore/0 IRQSetCore/1 IRQSetCore/2"},
};

TEST_FILE(irq_core);
