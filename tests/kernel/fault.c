// SPDX-License-Identifier: BSD-2-Clause
// Tests: page faults, exceptions and capability faults as messages (FAULT-1 to FAULT-12).
#include "snippets.h"
#include "world.h"

static void vm_fault_check(struct place place, const char *address, struct words words) {
	struct fault_case made = fault_case_make(address, words.items[1]);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	check_equal(place, "label", fault.label, FAULT_VM);
	check_equal(place, "length", fault.length, FAULT_VM_LENGTH);
	for (unsigned word = 0; word < FAULT_VM_LENGTH; word++)
		check_equal(place, "word", fault.words[word], words.items[word]);
}

static void page_faults(void) {
	uint64_t nowhere = TEST_ADDRESS + 0x123450;

	vm_fault_check(HERE, code_read, WORDS((uint64_t)code_read, nowhere, 0, 4));
	vm_fault_check(HERE, code_write, WORDS((uint64_t)code_write, nowhere, 0, 6));
	vm_fault_check(HERE, code_jump, WORDS(nowhere, nowhere, 1, 0x14));
	vm_fault_check(HERE, code_read, WORDS((uint64_t)code_read, 0, 0, 4));
}

static void kernel_address(void) {
	struct fault_case made = fault_case_make(code_read, 0xffffffff80100000);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_VM);
	CHECK_EQUAL(fault.words[1], 0xffffffff80100000);
	// Present or not is the kernel's business; user and read are not.
	CHECK_EQUAL(fault.words[3] & ~1ul, 4);
}

static void read_only(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
	vm_fault_check(HERE, code_write, WORDS((uint64_t)code_write, TEST_ADDRESS, 0, 7));
}

static void repaired(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	struct fault_case made;

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	made = fault_case_make(code_write, TEST_ADDRESS + 8);
	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_VM);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	// Label and words of this reply do not count.
	ipc_send(made.reply, 99, WORDS(0, 0, 0, 0));
	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_USER_EXCEPTION);
	CHECK_EQUAL(*(volatile uint64_t *)(TEST_ADDRESS + 8), 1);
}

static void exception_check(struct place place, const char *code, struct words words) {
	struct fault_case made = fault_case_make(code, words.count > 3 ? words.items[3] : 0);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	check_equal(place, "label", fault.label, FAULT_USER_EXCEPTION);
	check_equal(place, "length", fault.length, FAULT_USER_EXCEPTION_LENGTH);
	check_equal(place, "rip", fault.words[0], words.items[0]);
	check_equal(place, "rsp", fault.words[1], helper_stack_top(made.helper) - 8);
	check_equal(place, "vector", fault.words[3], words.items[1]);
	check_equal(place, "code", fault.words[4], words.items[2]);
}

static void exceptions(void) {
	exception_check(HERE, code_divide, WORDS((uint64_t)code_divide_at, 0, 0));
	exception_check(HERE, code_breakpoint, WORDS((uint64_t)code_breakpoint_after, 3, 0));
	exception_check(HERE, code_undefined, WORDS((uint64_t)code_undefined, 6, 0));
	exception_check(HERE, code_halt, WORDS((uint64_t)code_halt, 13, 0));
	exception_check(HERE, code_port, WORDS((uint64_t)code_port, 13, 0));
	exception_check(HERE, code_read, WORDS((uint64_t)code_read, 13, 0, 1ul << 60));
}

static void exception_reply(void) {
	static volatile uint64_t counter;
	struct fault_case made = fault_case_make(code_undefined, (uint64_t)&counter);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	counter = 0;
	ipc_send(made.reply, 0, WORDS((uint64_t)code_spin, fault.words[1], ~0ul));
	CHECK_SOON(counter != 0);
	fault = invoke(made.helper->tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(1, 3));
	CHECK_EQUAL(fault.words[1], helper_stack_top(made.helper) - 8);
	// Flags are sanitised; the arithmetic ones belong to the running code.
	CHECK_EQUAL(fault.words[2] & 0x728, 0x600);
}

static void exception_refused(void) {
	static volatile uint64_t counter;
	struct fault_case made = fault_case_make(code_undefined, (uint64_t)&counter);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	counter = 0;
	ipc_send(made.reply, 1, WORDS((uint64_t)code_spin, fault.words[1], 0x202));
	sleep_microseconds(2000);
	CHECK_EQUAL(counter, 0);
	// The words were written all the same.
	CHECK_OK(invoke(made.helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_SOON(counter != 0);
}

static void no_handler(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct message registers;

	helper_start_at(helper, code_undefined, 0);
	settle();
	registers = invoke(helper->tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, 1));
	CHECK_EQUAL(registers.words[0], (uint64_t)code_undefined);
}

static void handler_badge(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	helper_fault_handler_set(helper, cap_mint(endpoint, RIGHTS_ALL, 0xfa));
	helper_start_at(helper, code_undefined, 0);
	CHECK_EQUAL(ipc_recv(endpoint, object_new(OBJECT_REPLY, 0)).badge, 0xfa);
}

static void received_without_reply(void) {
	struct fault_case made = fault_case_make(code_undefined, 0);

	CHECK_EQUAL(ipc_wait(made.endpoint).label, FAULT_USER_EXCEPTION);
	settle();
	// Inactive now: resuming repeats the fault.
	CHECK_OK(invoke(made.helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_wait(made.endpoint).label, FAULT_USER_EXCEPTION);
}

static void receive_cap_fault(void) {
	helper_receive_faults(ROOT_SLOT_TCB, object_new(OBJECT_REPLY, 0));
}

static void send_to(struct helper *helper) {
	ipc_send(helper->argument[0], 0, WORDS());
	helper->count++;
}

static void cap_fault_retry(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct message fault;

	helper_fault_handler_set(helper, endpoint);
	helper->argument[0] = 1ul << 20;
	helper_start(helper, send_to);
	fault = ipc_recv(endpoint, reply);
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.length, 7);
	CHECK_EQUAL(fault.words[1], 1ul << 20);
	CHECK_EQUAL(fault.words[2], 0);
	CHECK_EQUAL(fault.words[3], LOOKUP_GUARD_MISMATCH);
	CHECK_EQUAL(fault.words[4], 64);
	CHECK_EQUAL(fault.words[5], 0);
	CHECK_EQUAL(fault.words[6], ROOT_GUARD);
	// The reply restarts the call: it faults again, at the same place.
	ipc_send(reply, 7, WORDS(1));
	CHECK_EQUAL(ipc_recv(endpoint, reply).words[0], fault.words[0]);
	CHECK_EQUAL(helper->count, 0);
}

static void queued_faults(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helpers[3];

	for (unsigned index = 0; index < 3; index++) {
		helpers[index] = helper_make(PRIORITY_HELPER + index);
		helper_fault_handler_set(helpers[index], cap_mint(endpoint, RIGHTS_ALL, index + 1));
		helper_start_at(helpers[index], code_undefined, 0);
	}
	settle();
	for (uint64_t badge = 3; badge >= 1; badge--)
		CHECK_EQUAL(ipc_recv(endpoint, object_new(OBJECT_REPLY, 0)).badge, badge);
}

static void handle(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[2], helper->argument[0], helper->argument[1], WORDS());
	helper->count++;
	(void)ipc_reply_recv(helper->argument[0], helper->argument[1],
		WORDS((uint64_t)code_park, helper->argument[3], 0x202));
}

// True if the helper's scheduling context is with the helper, which loses it by this question.
static int helper_is_holder(const struct helper *helper) {
	return invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(helper->tcb),
		       WORDS())
		       .label == ERROR_NONE;
}

static void passive_handler(void) {
	struct helper *handler = helper_make(PRIORITY_HELPER + 1);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t ready = object_new(OBJECT_NOTIFICATION, 0);

	handler->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	handler->argument[1] = object_new(OBJECT_REPLY, 0);
	handler->argument[2] = ready;
	handler->argument[3] = helper_stack_top(helper) - 8;
	helper_start(handler, handle);
	(void)ipc_wait(ready);
	settle();
	CHECK_OK(invoke(handler->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	helper_fault_handler_set(helper, handler->argument[0]);
	helper_start_at(helper, code_undefined, 0);
	CHECK_SOON(handler->count == 1);
	CHECK_SOON(helper_is_holder(helper));
}

static const struct test tests[] = {
	{"fault-page", "page faults carry address, kind of access and error code", page_faults,
		NULL},
	{"fault-kernel", "a kernel address is a page fault like any other", kernel_address, NULL},
	{"fault-read-only", "writing a read-only page is a protection fault", read_only, NULL},
	{"fault-repaired", "after the reply to a page fault the instruction is repeated", repaired,
		NULL},
	{"fault-exceptions", "exceptions carry rip, rsp, vector and code", exceptions, NULL},
	{"fault-reply", "the reply to an exception sets rip, rsp and sane flags", exception_reply,
		NULL},
	{"fault-refused", "a reply with another label leaves the thread inactive",
		exception_refused, NULL},
	{"fault-no-handler", "without a handler the thread becomes inactive", no_handler, NULL},
	{"fault-badge", "a fault message carries the badge of the handler capability",
		handler_badge, NULL},
	{"fault-wait", "a fault received by Wait leaves the thread inactive",
		received_without_reply, NULL},
	{"fault-cap-receive",
		"receiving from another kind of capability faults with the receive flag",
		receive_cap_fault, NULL},
	{"fault-cap-restart", "the reply to a capability fault repeats the call", cap_fault_retry,
		NULL},
	{"fault-queue", "queued faults are received by priority", queued_faults, NULL},
	{"fault-passive", "a passive handler runs on the faulting thread's time", passive_handler,
		NULL},
};

TEST_FILE(fault);
