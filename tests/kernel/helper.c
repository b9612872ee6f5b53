// SPDX-License-Identifier: BSD-2-Clause
// Helper threads: same address space and CSpace as the main thread, own stack and IPC buffer.
// Stacks and buffers are pages of this program, so their frame capabilities come with the boot
// information.
#include "helper.h"
#include <base/memory.h>
#include "world.h"

enum { THREADS = HELPERS + 1, WATCHDOG_INDEX = HELPERS };

struct thread_memory {
	char stack[HELPER_STACK];
};

// Each stack and buffer belongs to the thread of the same index.
static struct thread_memory stacks[THREADS] __attribute__((aligned(4096)));
static char buffers[THREADS][4096] __attribute__((aligned(4096)));
static struct helper helpers[THREADS]; // main thread, and each helper its own result fields
static unsigned helpers_used;

struct ipc_buffer *own_buffer(void) {
	uint64_t stack = (uint64_t)__builtin_frame_address(0) - (uint64_t)stacks;

	if (stack < sizeof(stacks)) return (struct ipc_buffer *)buffers[stack / sizeof(stacks[0])];
	return (struct ipc_buffer *)world.bootinfo->ipc_buffer;
}

uint64_t helper_stack_top(const struct helper *helper) {
	return (uint64_t)(&stacks[helper->index] + 1);
}

uint64_t helper_buffer_frame(const struct helper *helper) {
	return image_frame(buffers[helper->index]);
}

static void helper_build(struct helper *helper, uint64_t priority) {
	helper->buffer = (struct ipc_buffer *)buffers[helper->index];
	memset(helper->buffer, 0, sizeof(*helper->buffer));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_CONFIGURE,
		CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, helper_buffer_frame(helper)),
		WORDS(0, 0, (uint64_t)helper->buffer)));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SCHED_PARAMS,
		CAPS(ROOT_SLOT_TCB, helper->sched_context, NULL_CAP), WORDS(priority, priority)));
}

struct helper *helper_make_passive(uint64_t priority) {
	struct helper *helper = &helpers[helpers_used];

	if (helpers_used == HELPERS) test_fail(HERE, "no helper left");
	*helper = (struct helper){.index = helpers_used++};
	helper->tcb = object_new(OBJECT_TCB, 0);
	helper_build(helper, priority);
	return helper;
}

struct helper *helper_make_with(uint64_t priority, struct sched_setting setting) {
	struct helper *helper = helper_make_passive(priority);

	helper->sched_context = sched_context_make(setting);
	CHECK_OK(invoke(
		helper->sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	return helper;
}

struct helper *helper_make(uint64_t priority) {
	return helper_make_with(
		priority, (struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
}

struct helper *helper_make_watchdog(uint64_t tcb, uint64_t sched_context) {
	struct helper *helper = &helpers[WATCHDOG_INDEX];

	*helper = (struct helper){
		.index = WATCHDOG_INDEX, .tcb = tcb, .sched_context = sched_context};
	helper_build(helper, PRIORITY_WATCHDOG);
	return helper;
}

[[gnu::noreturn]] static void helper_main(struct helper *helper) {
	helper->run(helper);
	helper->done = 1;
	(void)invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS());
	// Not reached, unless the helper's CSpace does not hold its own TCB.
	__builtin_trap();
}

void helper_start_at(struct helper *helper, const void *address, uint64_t rdi) {
	// A called function finds the return address at rsp, so rsp is 8 off a multiple of 16.
	uint64_t stack = helper_stack_top(helper) - 8;

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(),
		WORDS(1, 9, (uint64_t)address, stack, 0x202, 0, 0, 0, 0, 0, rdi)));
}

void helper_start(struct helper *helper, void (*run)(struct helper *helper)) {
	helper->run = run;
	helper->done = 0;
	helper_start_at(helper, (const void *)helper_main, (uint64_t)helper);
}

void helper_fault_handler_set(struct helper *helper, uint64_t endpoint) {
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE,
		CAPS(endpoint, ROOT_SLOT_CNODE, ROOT_SLOT_SPACE), WORDS(0, 0)));
}

void helper_timeout_handler_set(struct helper *helper, uint64_t endpoint) {
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAPS(endpoint), WORDS()));
}

void helper_receive(struct helper *helper) {
	helper->message = ipc_recv(helper->argument[0], helper->argument[1]);
	helper->count++;
}

struct fault_case fault_case_make(const char *address, uint64_t rdi) {
	struct fault_case made = {
		.helper = helper_make(PRIORITY_HELPER),
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
		.reply = object_new(OBJECT_REPLY, 0),
	};

	helper_fault_handler_set(made.helper, made.endpoint);
	helper_start_at(made.helper, address, rdi);
	return made;
}

void helper_receive_faults(uint64_t endpoint, uint64_t reply) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = endpoint;
	helper->argument[1] = reply;
	helper_start(helper, helper_receive);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.length, 5);
	CHECK_EQUAL(fault.words[1], ROOT_SLOT_TCB);
	CHECK_EQUAL(fault.words[2], 1);
	CHECK_EQUAL(fault.words[3], LOOKUP_MISSING_CAPABILITY);
	CHECK_EQUAL(fault.words[4], 0);
}

struct message helper_registers_read(struct helper *helper) {
	return invoke(helper->tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, USER_CONTEXT_WORDS));
}

void helpers_forget(void) { helpers_used = 0; }

void helpers_stop(void) {
	for (unsigned index = 0; index < helpers_used; index++)
		(void)invoke(helpers[index].tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS());
}

void settle(void) {
	CHECK_OK(invoke(ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(PRIORITY_SETTLE)));
	CHECK_OK(invoke(
		ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(PRIORITY_MAIN)));
}

void priority_main_set(void) {
	(void)invoke(
		ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(PRIORITY_MAIN));
}

uint64_t tsc_of(uint64_t microseconds) { return microseconds * world.tsc_mhz; }

// Gives up a budget that comes back after the wanted time, then becomes round robin again.
void sleep_microseconds(uint64_t microseconds) {
	CHECK_OK(sched_configure(ROOT_SLOT_SCHED_CONTEXT,
		(struct sched_setting){.budget = microseconds / 2, .period = microseconds}));
	thread_yield();
	CHECK_OK(sched_configure(ROOT_SLOT_SCHED_CONTEXT,
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE}));
}

void spin_microseconds(uint64_t microseconds) {
	uint64_t end = tsc_read() + tsc_of(microseconds);

	while (tsc_read() < end)
		;
}
