// SPDX-License-Identifier: BSD-2-Clause
// What do two cores share that each do work of their own? A sample is many rounds on both; the
// counting plugin sees the lines and locked instructions.
#include <abi/vcpu.h>
#include <base/memory.h>
#include <real_guest.h>
#include <x86/vmx.h>
#include "cores.h"

enum argument { OBJECT, REPLY_CAP, LEADS, STATE_PAGE };

enum { PAIRS = 2, WINDOWS = 5, WINDOW_ROUNDS = 40, GUEST_CODE = 0x100 };

// Counts of helpers, for a window after the other.
static volatile uint64_t arrived, finished, opened;

static void count_up(volatile uint64_t *word) { __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST); }

static void wait_until(const volatile uint64_t *word, uint64_t value) {
	while (*word < value)
		core_relax();
}

// Both come to the window, the leader opens it, and both do their rounds in it.
__attribute__((always_inline)) static inline void windows_run(
	struct helper *helper, void (*once)(struct helper *helper)) {
	for (uint64_t window = 1; window <= WINDOWS; window++) {
		for (unsigned round = 0; round < WARM_UP; round++)
			once(helper);
		count_up(&arrived);
		wait_until(&arrived, window * PAIRS);
		if (helper->argument[LEADS]) {
			begun_at = ticks_begin();
			opened = window;
		}
		wait_until(&opened, window);
		for (unsigned round = 0; round < WINDOW_ROUNDS; round++) {
			once(helper);
			core_relax(); // the other core's turn, in an emulator
		}
		count_up(&finished);
		wait_until(&finished, window * PAIRS);
		if (helper->argument[LEADS]) sample_add(ticks_end() - begun_at);
	}
}

static void call_once(struct helper *helper) {
	struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};

	sel4_syscall(SYSCALL_CALL, &registers);
}

static void signal_once(struct helper *helper) {
	struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};

	sel4_syscall(SYSCALL_SEND, &registers);
}

static void exit_once(struct helper *helper) {
	struct vcpu_state_page *page = (struct vcpu_state_page *)helper->argument[STATE_PAGE];
	struct sel4_registers registers = {};

	page->rip = GUEST_CODE;
	page->dirty |= VCPU_GROUP_RIP;
	sel4_syscall(SYSCALL_VCPU_RUN, &registers);
	if (page->reason != VCPU_EXIT_CPUID) helper->result[0]++;
}

static void call_run(struct helper *helper) { windows_run(helper, call_once); }
static void signal_run(struct helper *helper) { windows_run(helper, signal_once); }
static void exit_run(struct helper *helper) { windows_run(helper, exit_once); }

static void serve_run(struct helper *helper) {
	struct sel4_registers registers = {
		.rdi = helper->argument[OBJECT], .r12 = helper->argument[REPLY_CAP]};

	sel4_syscall(SYSCALL_RECV, &registers);
	for (;;) {
		registers = (struct sel4_registers){
			.rdi = helper->argument[OBJECT], .r12 = helper->argument[REPLY_CAP]};
		sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	}
}

static void wait_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};

		sel4_syscall(SYSCALL_WAIT, &registers);
	}
}

enum work { CALLS, SIGNALS, WAITS };

static void pairs_run(void (*client_run)(struct helper *), struct helper *const *clients) {
	arrived = finished = opened = 0;
	samples_keep_first();
	for (unsigned index = 0; index < PAIRS; index++) {
		clients[index]->argument[LEADS] = index == 0;
		helper_start(clients[index], client_run);
	}
	for (unsigned index = 0; index < PAIRS; index++) {
		core_wait(clients[index]);
		CHECK_EQUAL(clients[index]->result[0], 0);
	}
}

// On each of the cores 1 and 2 a thread, and who answers or waits, in another space.
static void pairs_measure(const struct row *row) {
	struct helper *clients[PAIRS];

	if (!cores_are(PAIRS + 1)) return;
	for (uint64_t index = 0; index < PAIRS; index++) {
		// Who is below does not run before the end, and is woken once.
		struct helper *partner = core_helper(1 + index,
			row->setting == SIGNALS ? PRIORITY_HELPER - 1 : PRIORITY_HELPER + 1);

		clients[index] = core_helper(1 + index, PRIORITY_HELPER);
		clients[index]->argument[OBJECT] = partner->argument[OBJECT] = object_new(
			row->setting == CALLS ? OBJECT_ENDPOINT : OBJECT_NOTIFICATION, 0);
		partner->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
		helper_move(partner);
		helper_start(partner, row->setting == CALLS ? serve_run : wait_run);
		core_pass();
		if (row->setting == CALLS)
			CHECK_OK(invoke(partner->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(),
				WORDS()));
	}
	pairs_run(row->setting == CALLS ? call_run : signal_run, clients);
}

// A guest that executes CPUID, run by its state page.
static struct helper *monitor_make(uint64_t core, uint64_t vcpu) {
	static const uint8_t code[] = {0x0f, 0xa2};
	const uint64_t address = TEST_ADDRESS + core * 2 * (1ul << PAGE_BITS);
	const uint64_t page_address = address + (1ul << PAGE_BITS);
	struct vcpu_state_page *page = (struct vcpu_state_page *)page_address;
	struct helper *helper = core_helper(core, PRIORITY_HELPER);
	uint64_t space = guest_space_new(), frames[2];

	for (unsigned index = 0; index < 2; index++) {
		frames[index] = object_new(OBJECT_PAGE, 0);
		CHECK_OK(frame_map(frames[index], ROOT_SLOT_SPACE, address + (index << PAGE_BITS),
			RIGHT_READ | RIGHT_WRITE));
	}
	memcpy((void *)(address + GUEST_CODE), code, sizeof(code));
	guest_page_map(cap_copy(frames[0]), space, 0);
	guest_reset(vcpu, helper->tcb, space);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_STATE_PAGE, CAPS(frames[1]), WORDS()));
	page->save[VCPU_EXIT_CPUID] = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS;
	helper->argument[STATE_PAGE] = page_address;
	return helper;
}

static void exits_measure(const struct row *) {
	struct helper *monitors[PAIRS];

	if (!cores_are(PAIRS + 1)) return;
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	for (uint64_t index = 0; index < PAIRS; index++) {
		uint64_t vcpu = slot_take();

		if (retype_one(world.arena, OBJECT_VCPU, 0, vcpu).label ==
			ERROR_ILLEGAL_OPERATION) {
			row_skip("this machine has neither VT-x nor AMD-V");
			return;
		}
		monitors[index] = monitor_make(1 + index, vcpu);
	}
	pairs_run(exit_run, monitors);
}

static const struct row rows[] = {
	{"cores-local-call", pairs_measure, CALLS},
	{"cores-local-signal", pairs_measure, SIGNALS},
	{"cores-local-wait", pairs_measure, WAITS},
	{"cores-local-exit", exits_measure, 0},
};

ROW_FILE(cores_local);
