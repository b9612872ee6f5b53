// SPDX-License-Identifier: BSD-2-Clause
// Tests: the core that an interrupt comes to (IRQ-10).
#include "world.h"

enum { VECTOR = 21, USER_VECTORS = 108, BADGE = 0x2d };

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

// Of cores that are not there, and vectors that are no interrupts: nothing happens.
static void sent_to_none(void) {
	const uint64_t cores = world.bootinfo->node_count;
	const struct call_registers sent[] = {
		{.rdi = cores, .rsi = VECTOR},
		{.rdi = 1ul << 32, .rsi = VECTOR},
		{.rdi = UINT64_MAX, .rsi = VECTOR},
		{.rdi = 0, .rsi = USER_VECTORS},
		{.rdi = 0, .rsi = UINT64_MAX - 20},
	};
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	(void)handler_make(notification);
	for (unsigned i = 0; i < array_count(sent); i++) {
		struct call_registers registers = sent[i];

		system_call(SYSCALL_DEBUG_SEND_IPI, &registers);
		CHECK_EQUAL(ipc_nb_wait(notification).badge, 0);
	}
}

static const struct test tests[] = {
	{"irq-core", "an interrupt of any core reaches its handler", chosen_core,
		"IRQSetCore/0 IRQSetCore/1 IRQSetCore/2"},
	{"irq-no-core", "an interrupt to a core or by a vector that is not there comes nowhere",
		sent_to_none, NULL},
};

TEST_FILE(irq_core);
