// SPDX-License-Identifier: BSD-2-Clause
// Tests: notifications: words, waiters, rights (NTF-1 to NTF-5).
#include "world.h"

static void wait_once(struct helper *helper) {
	helper->message = ipc_wait(helper->argument[0]);
	helper->count++;
}

static struct helper *waiter_start(uint64_t priority, uint64_t notification) {
	struct helper *helper = helper_make(priority);

	helper->argument[0] = notification;
	helper_start(helper, wait_once);
	settle();
	return helper;
}

static void badges_merge(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	ipc_signal(cap_mint(notification, RIGHTS_ALL, 1));
	ipc_signal(cap_mint(notification, RIGHTS_ALL, 4));
	ipc_signal(cap_mint(notification, RIGHTS_ALL, 1ul << 63));
	CHECK_EQUAL(ipc_wait(notification).badge, 1ul << 63 | 5);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 0);
}

static void one_waiter_woken(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct helper *low = waiter_start(50, notification);
	struct helper *high = waiter_start(70, notification);
	struct helper *late = waiter_start(70, notification);

	ipc_signal(cap_mint(notification, RIGHTS_ALL, 6));
	settle();
	CHECK_EQUAL(high->count, 1);
	CHECK_EQUAL(high->message.badge, 6);
	CHECK_EQUAL(low->count + late->count, 0);
	ipc_signal(notification);
	settle();
	CHECK_EQUAL(late->count, 1);
	CHECK_EQUAL(low->count, 0);
	ipc_signal(notification);
	settle();
	CHECK_EQUAL(low->count, 1);
}

static void badge_zero_counts(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	ipc_signal(notification);
	CHECK_EQUAL(ipc_wait(notification).badge, 0); // does not block
}

static void registers_kept(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct call_registers registers = {
		.rdi = notification, .rsi = 0xabcdef, .r10 = 1, .r8 = 2, .r9 = 3, .r15 = 4};

	ipc_signal(cap_mint(notification, RIGHTS_ALL, 9));
	system_call(SYSCALL_WAIT, &registers);
	CHECK_EQUAL(registers.rdi, 9);
	CHECK_EQUAL(registers.rsi, 0xabcdef);
	CHECK_EQUAL(registers.r10, 1);
	CHECK_EQUAL(registers.r8, 2);
	CHECK_EQUAL(registers.r9, 3);
	CHECK_EQUAL(registers.r15, 4);
}

static void polling(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct call_registers registers = {.rdi = notification, .rsi = 0x55, .r10 = 1};

	system_call(SYSCALL_NB_RECV, &registers);
	CHECK_EQUAL(registers.rdi, 0);
	CHECK_EQUAL(registers.rsi, 0x55);
	ipc_signal(cap_mint(notification, RIGHTS_ALL, 2));
	CHECK_EQUAL(ipc_nb_recv(notification, 0).badge, 2);
}

static void recv_ignores_reply(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	ipc_signal(cap_mint(notification, RIGHTS_ALL, 3));
	CHECK_EQUAL(ipc_recv(notification, ~0ul).badge, 3);
}

static void signal_by_call(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 5);

	(void)ipc_call(badged, 99, WORDS(1, 2, 3));
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 5);
}

static void write_right(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHT_READ, 7);

	CHECK_ERROR(ipc_call(badged, 0, WORDS()), ERROR_INVALID_CAPABILITY, 0);
	ipc_signal(badged);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 0);
}

static void read_right(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = cap_copy_rights(object_new(OBJECT_NOTIFICATION, 0), RIGHT_WRITE);
	helper_start(helper, wait_once);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[1], helper->argument[0]);
	CHECK_EQUAL(fault.words[2], 1);
	CHECK_EQUAL(fault.words[3], LOOKUP_MISSING_CAPABILITY);
}

static void higher_waiter_at_once(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct helper *helper = waiter_start(PRIORITY_MAIN + 1, notification);

	ipc_signal(notification);
	CHECK_EQUAL(helper->count, 1);
}

static void deleted_with_waiter(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = notification;
	helper_start(helper, wait_once);
	settle();
	CHECK_OK(cap_delete(notification));
	// The waiter executes its call again, and now the slot is empty.
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[1], notification);
}

static const struct test tests[] = {
	{"notification-merge", "signals before a wait merge into one word", badges_merge, NULL},
	{"notification-one", "a signal wakes the oldest waiter of the highest priority",
		one_waiter_woken, NULL},
	{"notification-zero", "a signal with badge 0 counts", badge_zero_counts, NULL},
	{"notification-registers", "a received signal changes the badge register only",
		registers_kept, NULL},
	{"notification-poll", "polling an idle notification gives badge 0", polling, NULL},
	{"notification-reply", "Recv on a notification does not look at the Reply",
		recv_ignores_reply, NULL},
	{"notification-call", "Call on a notification signals", signal_by_call, NULL},
	{"notification-write", "signalling needs Write", write_right, NULL},
	{"notification-read", "waiting without Read faults", read_right, NULL},
	{"notification-higher", "a waiter of higher priority runs at once", higher_waiter_at_once,
		NULL},
	{"notification-deleted", "waiters of a deleted notification execute their call again",
		deleted_with_waiter, NULL},
};

TEST_FILE(notification);
