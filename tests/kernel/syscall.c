// SPDX-License-Identifier: BSD-2-Clause
// Tests: system calls by themselves: registers, debug calls, unknown numbers (SYS-1 to SYS-18).
#include <base/memory.h>
#include "snippets.h"
#include "world.h"

static void unknown_number_check(uint64_t number) {
	struct fault_case made = fault_case_make(code_syscall, number);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_UNKNOWN_SYSCALL);
	CHECK_EQUAL(fault.length, FAULT_UNKNOWN_SYSCALL_LENGTH);
	CHECK_EQUAL(fault.words[18], number);
	CHECK_EQUAL(fault.words[15], (uint64_t)code_syscall_at);
}

static void unknown_numbers(void) {
	static const uint64_t numbers[] = {0, 1, 0xfffffff5, (uint64_t)-20, (uint64_t)-31,
		(uint64_t)-33, (uint64_t)-34, 1ul << 63, ~0ul >> 1};

	for (unsigned index = 0; index < array_count(numbers); index++)
		unknown_number_check(numbers[index]);
}

static void unknown_registers(void) {
	struct fault_case made = fault_case_make(code_syscall, 77);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.words[0], 0xa0);
	CHECK_EQUAL(fault.words[1], 0xb0);
	CHECK_EQUAL(fault.words[3], 77);
	CHECK_EQUAL(fault.words[4], 0x51);
	CHECK_EQUAL(fault.words[5], 0xd1);
	CHECK_EQUAL(fault.words[6], 0xb9);
	CHECK_EQUAL(fault.words[7], 0x08);
	CHECK_EQUAL(fault.words[8], 0x09);
	CHECK_EQUAL(fault.words[9], 0x10);
	CHECK_EQUAL(fault.words[11], 0x12);
	CHECK_EQUAL(fault.words[12], 0x13);
	CHECK_EQUAL(fault.words[13], 0x14);
	CHECK_EQUAL(fault.words[14], 0x15);
	CHECK_EQUAL(fault.badge, 0);
	CHECK_EQUAL(fault.caps, 0);
}

static void unknown_reply(void) {
	struct fault_case made = fault_case_make(code_syscall, 77);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	code_registers[5] = 0;
	fault.words[0] = 0x1111;
	fault.words[1] = 0x2222;
	fault.words[5] = 0x3333;
	fault.words[14] = 0x4444;
	fault.words[15] = (uint64_t)code_syscall_after;
	ipc_send(made.reply, 0, (struct words){FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH, fault.words});
	CHECK_SOON(code_registers[5] == 1);
	CHECK_EQUAL(code_registers[0], 0x1111);
	CHECK_EQUAL(code_registers[1], 0x2222);
	CHECK_EQUAL(code_registers[2], 0x3333);
	CHECK_EQUAL(code_registers[3], 0x51);
	CHECK_EQUAL(code_registers[4], 0x4444);
}

static void unknown_restart(void) {
	struct fault_case made = fault_case_make(code_syscall, 78);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.words[18], 78);
	// No words: the same instruction again.
	ipc_send(made.reply, 0, WORDS());
	fault = ipc_recv(made.endpoint, made.reply);
	CHECK_EQUAL(fault.label, FAULT_UNKNOWN_SYSCALL);
	CHECK_EQUAL(fault.words[15], (uint64_t)code_syscall_at);
}

static void vm_enter_without_vcpu(void) { unknown_number_check((uint64_t)SYSCALL_VM_ENTER); }

static void int_allowed(void) {
	struct fault_case made = fault_case_make(code_int_allowed, 0);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_UNKNOWN_SYSCALL);
	CHECK_EQUAL(fault.words[18], 0xffffffffc8223344);
	CHECK_EQUAL(fault.words[15], (uint64_t)code_int_allowed_at);
	CHECK_EQUAL(fault.words[0], 0x11223344);
	CHECK_EQUAL(fault.words[16], helper_stack_top(made.helper) - 8);
}

// The debug kernel looks itself: with the flag set SMAP would be off.
static void int_alignment(void) {
	struct fault_case made = fault_case_make(code_int_unaligned, 0);

	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_UNKNOWN_SYSCALL);
}

static void int_refused(void) {
	struct fault_case made = fault_case_make(code_int_refused, 0);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_USER_EXCEPTION);
	CHECK_EQUAL(fault.words[3], 13);
	CHECK_EQUAL(fault.words[0], (uint64_t)code_int_refused);
}

static void int_spurious(void) {
	static volatile uint64_t reached;
	struct helper *helper = helper_make(PRIORITY_HELPER);

	reached = 0;
	helper_start_at(helper, code_int_spurious, (uint64_t)&reached);
	CHECK_SOON(reached == 1);
}

static void cap_identify(void) {
	CHECK_EQUAL(cap_kind(object_new(OBJECT_ENDPOINT, 0)), KIND_ENDPOINT);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_NOTIFICATION, 0)), KIND_NOTIFICATION);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_REPLY, 0)), KIND_REPLY);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_TCB, 0)), KIND_TCB);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_CNODE, 2)), KIND_CNODE);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_PAGE, 0)), KIND_FRAME);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_PAGE_TABLE, 0)), KIND_PAGE_TABLE);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_PDPT, 0)), KIND_PDPT);
	CHECK_EQUAL(cap_kind(object_new(OBJECT_PML4, 0)), KIND_PML4);
	CHECK_EQUAL(cap_kind(1ul << 40), KIND_NULL);
}

static void registers_survive(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call_registers registers = {.rdi = endpoint,
		.rsi = tag_make(5, 0, 0, 2),
		.r10 = 1,
		.r8 = 2,
		.r9 = 3,
		.r15 = 4,
		.r12 = 5,
		.r13 = 6};

	system_call(SYSCALL_NB_SEND, &registers);
	CHECK_EQUAL(registers.rdi, endpoint);
	CHECK_EQUAL(registers.rsi, tag_make(5, 0, 0, 2));
	CHECK_EQUAL(registers.r10, 1);
	CHECK_EQUAL(registers.r8, 2);
	CHECK_EQUAL(registers.r9, 3);
	CHECK_EQUAL(registers.r15, 4);
	CHECK_EQUAL(registers.r12, 5);
	CHECK_EQUAL(registers.r13, 6);
}

static void yield_registers(void) {
	struct call_registers registers = {
		.rdi = 11, .rsi = 12, .r10 = 1, .r8 = 2, .r9 = 3, .r15 = 4};

	system_call(SYSCALL_YIELD, &registers);
	CHECK_EQUAL(registers.rdi, 11);
	CHECK_EQUAL(registers.rsi, 12);
	CHECK_EQUAL(registers.r10, 1);
	CHECK_EQUAL(registers.r15, 4);
}

static void success_registers(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct helper *helper = helper_make_passive(PRIORITY_HELPER);
	struct call_registers registers = {.rdi = helper->tcb,
		.rsi = tag_make(LABEL_TCB_SET_TLS_BASE, 0, 0, 2),
		.r10 = 0x1000,
		.r8 = 2,
		.r9 = 3,
		.r15 = 4};

	system_call(SYSCALL_CALL, &registers);
	CHECK_EQUAL(registers.rdi, 0);
	CHECK_EQUAL(registers.rsi, 0);
	CHECK_EQUAL(registers.r10, 0x1000);
	CHECK_EQUAL(registers.r8, 2);
	CHECK_EQUAL(registers.r9, 3);
	CHECK_EQUAL(registers.r15, 4);
	CHECK_EQUAL(cap_kind(notification), KIND_NOTIFICATION);
}

static void error_registers(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	struct call_registers registers = {.rdi = tcb,
		.rsi = tag_make(LABEL_TCB_READ_REGISTERS, 0, 0, 2),
		.r10 = 0,
		.r8 = 21,
		.r9 = 33,
		.r15 = 44};

	system_call(SYSCALL_CALL, &registers);
	CHECK_EQUAL(registers.rdi, 0);
	CHECK_EQUAL(registers.rsi, tag_make(ERROR_RANGE, 0, 0, 2));
	CHECK_EQUAL(registers.r10, 1);
	CHECK_EQUAL(registers.r8, 20);
	CHECK_EQUAL(registers.r9, 33);
	CHECK_EQUAL(registers.r15, 44);
}

static void debug_name(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	struct call_registers registers = {.rdi = tcb};
	char *name = (char *)own_buffer()->message;

	name[0] = 't';
	name[1] = '1';
	name[2] = '\0';
	system_call(SYSCALL_DEBUG_NAME_THREAD, &registers);
	CHECK_EQUAL(cap_kind(tcb), KIND_TCB);
}

static void debug_prints(void) {
	struct call_registers registers = {.rdi = 1, .rsi = 2, .r10 = 3};

	system_call(SYSCALL_DEBUG_DUMP_SCHEDULER, &registers);
	system_call(SYSCALL_DEBUG_SNAPSHOT, &registers);
	CHECK_EQUAL(registers.rdi, 1);
	CHECK_EQUAL(registers.rsi, 2);
	CHECK_EQUAL(registers.r10, 3);
}

static void receive_by_number(struct helper *helper) {
	struct call_registers registers = {.rdi = helper->argument[1], .r12 = helper->argument[2]};

	system_call((int64_t)helper->argument[0], &registers);
}

static void receive_faults(void) {
	static const int64_t numbers[] = {SYSCALL_RECV, SYSCALL_NB_RECV, SYSCALL_WAIT,
		SYSCALL_NB_WAIT, SYSCALL_REPLY_RECV, SYSCALL_NB_SEND_RECV, SYSCALL_NB_SEND_WAIT};

	for (unsigned index = 0; index < array_count(numbers); index++) {
		struct helper *helper = helper_make(PRIORITY_HELPER);
		uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
		struct message fault;

		helper_fault_handler_set(helper, faults);
		helper->argument[0] = (uint64_t)numbers[index];
		helper->argument[1] = slot_take();
		helper->argument[2] = object_new(OBJECT_REPLY, 0);
		helper_start(helper, receive_by_number);
		fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
		CHECK_EQUAL(fault.label, FAULT_CAP);
		CHECK_EQUAL(fault.length, 5);
		CHECK_EQUAL(fault.words[1], helper->argument[1]);
		CHECK_EQUAL(fault.words[2], 1);
		CHECK_EQUAL(fault.words[3], LOOKUP_MISSING_CAPABILITY);
		CHECK_EQUAL(fault.words[4], 0);
	}
}

static void signal_then_receive(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[0], helper->argument[1], helper->argument[2], WORDS());
}

static void combined_restart(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = cap_mint(notification, RIGHTS_ALL, 8);
	helper->argument[1] = slot_take();
	helper->argument[2] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, signal_then_receive);
	CHECK_EQUAL(ipc_recv(faults, reply).label, FAULT_CAP);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 8);
	// Repeated whole: the first phase happens again.
	ipc_send(reply, 0, WORDS());
	CHECK_EQUAL(ipc_recv(faults, reply).label, FAULT_CAP);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 8);
}

static void null_keeps_registers(void) {
	const struct call_registers before = {
		.rdi = 1, .rsi = 2, .r10 = 3, .r8 = 4, .r9 = 5, .r15 = 6, .r12 = 7, .r13 = 8};
	struct call_registers after = before;

	system_call(SYSCALL_NULL, &after);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
}

static const struct test tests[] = {
	{"syscall-null", "the null system call changes no register", null_keeps_registers, NULL},
	{"syscall-unknown", "numbers that are no system call of this build raise UnknownSyscall",
		unknown_numbers, NULL},
	{"syscall-words", "an UnknownSyscall message carries the thread's registers in order",
		unknown_registers, NULL},
	{"syscall-reply",
		"the reply to UnknownSyscall writes registers and continues at its address",
		unknown_reply, NULL},
	{"syscall-restart", "an empty reply to UnknownSyscall executes the instruction again",
		unknown_restart, NULL},
	{"syscall-vm-enter", "VMEnter without a VCPU is an unknown system call",
		vm_enter_without_vcpu, NULL},
	{"syscall-int", "INT 0xc8 raises UnknownSyscall with vector and eax in the number",
		int_allowed, NULL},
	{"syscall-int-ac", "a program's alignment-check flag does not reach the kernel",
		int_alignment, NULL},
	{"syscall-int-refused", "INT of a kernel vector raises a general protection exception",
		int_refused, NULL},
	{"syscall-int-spurious", "INT 0xff has no effect", int_spurious, NULL},
	{"syscall-identify",
		"DebugCapIdentify names kinds, and null for an address that leads nowhere",
		cap_identify, NULL},
	{"syscall-registers", "NBSend to an endpoint without receiver changes no register",
		registers_survive, NULL},
	{"syscall-yield", "Yield changes no argument register", yield_registers, NULL},
	{"syscall-success", "a successful Call to an object writes badge 0, tag 0 and nothing else",
		success_registers, NULL},
	{"syscall-error", "a refused Call writes badge 0, the error tag and its payload words only",
		error_registers, "TCBReadRegisters/2"},
	{"syscall-name", "DebugNameThread takes a name from the IPC buffer", debug_name, NULL},
	{"syscall-debug", "DebugDumpScheduler and DebugSnapshot print and change nothing",
		debug_prints, NULL},
	{"syscall-receive", "each receiving call faults on an empty slot, also those that poll",
		receive_faults, NULL},
	{"syscall-combined", "a combined call that faulted is repeated with its first phase",
		combined_restart, NULL},
};

TEST_FILE(syscall);
