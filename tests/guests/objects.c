// SPDX-License-Identifier: BSD-2-Clause
// Objects given to a VCPU and taken from it, also while it runs: ports, memory, threads.
#include <user/slots.h>
#include <user/untyped.h>

#include "guest.h"
#include "helper.h"
#include "test.h"

CODE_DECLARE(code_vmcall);
CODE_DECLARE(code_out);
CODE_DECLARE(code_touch);
CODE_DECLARE(code_spin_masked);

enum {
	PORT_FIRST = 0x80,
	PORT_LAST = 0x8f,
	PAGE_ADDRESS = 0x20000000,
};

static struct guest *const guest = &guest_one;
static volatile uint64_t helper_result;
static volatile uint64_t helper_reason;

// Ports

static void check_out(uint64_t reason) {
	guest_reset(guest, CODE(code_out));
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], reason);
}

static void object_ports(const struct test *) {
	seL4_CPtr ports = slots_allocate(2);
	seL4_CPtr root = seL4_CapInitThreadCNode;

	CHECK_EQUAL(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, PORT_FIRST, PORT_LAST, root,
			    ports, seL4_WordBits),
		0);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest->vcpu, ports, PORT_FIRST, PORT_LAST + 1),
		seL4_InvalidArgument);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest->vcpu, helper_tcb, PORT_FIRST, PORT_LAST),
		seL4_IllegalOperation);
	check_out(REASON_IO);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest->vcpu, ports, PORT_FIRST, PORT_LAST), 0);
	check_out(REASON_VMCALL);
	CHECK_EQUAL(seL4_X86_VCPU_DisableIOPort(guest->vcpu, PORT_FIRST, PORT_FIRST), 0);
	check_out(REASON_IO);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest->vcpu, ports, PORT_FIRST, PORT_LAST), 0);
	// A copy enabled nothing, so its end withdraws nothing.
	CHECK_EQUAL(seL4_CNode_Copy(root, ports + 1, seL4_WordBits, root, ports, seL4_WordBits,
			    seL4_AllRights),
		0);
	CHECK_EQUAL(seL4_CNode_Delete(root, ports + 1, seL4_WordBits), 0);
	check_out(REASON_VMCALL);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest_two.vcpu, ports, PORT_FIRST, PORT_LAST), 0);
	check_out(REASON_IO);
	CHECK_EQUAL(seL4_X86_VCPU_EnableIOPort(guest->vcpu, ports, PORT_FIRST, PORT_LAST), 0);
	slots_delete(ports, 2);
	check_out(REASON_IO);
}

// Memory

static void object_unmap(const struct test *) {
	const struct mapping own = {object_make(OBJECT_PAGE, 0), PAGE_ADDRESS, seL4_AllRights,
		seL4_X86_Default_VMAttributes, seL4_PageBits};
	const struct mapping inside = {slots_allocate(1), GUEST_EXTRA, seL4_AllRights,
		seL4_X86_EPT_Default_VMAttributes, seL4_PageBits};
	struct space space = space_own();

	CHECK_EQUAL(seL4_CNode_Copy(seL4_CapInitThreadCNode, inside.frame, seL4_WordBits,
			    seL4_CapInitThreadCNode, own.frame, seL4_WordBits, seL4_AllRights),
		0);
	CHECK_EQUAL(space_map(&space, &own), 0);
	CHECK_EQUAL(space_map(&guest->space, &inside), 0);
	*(volatile uint64_t *)PAGE_ADDRESS = 0x1122334455667788;
	guest_reset(guest, CODE(code_touch));
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 1), 0x1122334455667788);
	guest_skip(guest);
	CHECK_EQUAL(seL4_X86_Page_Unmap(inside.frame), 0);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_EPT_VIOLATION);
	CHECK_EQUAL(guest->words[WORD_GUEST_PHYSICAL], GUEST_EXTRA);
	CHECK_EQUAL(space_map(&guest->space, &inside), 0);
	guest_enter(guest);
	CHECK_EQUAL(guest_register(guest, 2), 0x1122334455667788);
	slots_delete(inside.frame, 1);
	slots_delete(own.frame, 1);
}

// Threads and VCPUs that part

static void helper_enter(void) {
	struct sel4_registers registers = {.rdi = 0};

	sel4_syscall(SYSCALL_VM_ENTER, &registers);
	helper_result = registers.rsi;
	helper_reason = registers.words[3];
	registers = (struct sel4_registers){.rdi = helper_notification};
	sel4_syscall(SYSCALL_SEND, &registers);
}

static void object_no_vcpu(const struct test *) {
	helper_run(helper_enter, HELPER_ABOVE);
	helper_check_unknown(SYSCALL_VM_ENTER);
}

// A thread without guest space sees an empty one; without IPC buffer its words are ignored.
static void object_empty_space(const struct test *) {
	guest_reset(&guest_two, CODE(code_vmcall));
	field_write(&guest_two, VMCS_GUEST_RIP, GUEST_CODE);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, helper_tcb), 0);
	helper_result = ~0ul;
	helper_run(helper_enter, HELPER_ABOVE);
	seL4_Wait(helper_notification, NULL);
	CHECK_EQUAL(helper_result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(helper_reason, REASON_EPT_VIOLATION);
	helper_stop();
	// Another partner: the helper has none now.
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, seL4_CapInitThreadTCB), 0);
	helper_run(helper_enter, HELPER_ABOVE);
	helper_check_unknown(SYSCALL_VM_ENTER);
}

static void wait_for_guest(const struct guest *running) {
	volatile uint64_t *counter = guest_word(running, GUEST_DATA);

	while (*counter < 100)
		seL4_Yield();
}

static void start_in_helper(struct guest *running) {
	guest_reset(running, CODE(code_spin_masked));
	field_write(running, VMCS_GUEST_RIP, GUEST_CODE);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(running->vcpu, helper_tcb), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(helper_tcb, running->space.root), 0);
	helper_run(helper_enter, HELPER_EQUAL);
	wait_for_guest(running);
}

static void object_delete(const struct test *) {
	struct guest third = guest_two;

	third.vcpu = object_make(OBJECT_VCPU, 0);
	CHECK(third.vcpu);
	start_in_helper(&third);
	slots_delete(third.vcpu, 1);
	helper_check_unknown(SYSCALL_VM_ENTER);
	guest_reset(&guest_two, CODE(code_vmcall));
	guest_enter(&guest_two);
	CHECK_EQUAL(guest_two.words[WORD_REASON], REASON_VMCALL);
}

static void object_taken(const struct test *) {
	start_in_helper(&guest_two);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, seL4_CapInitThreadTCB), 0);
	helper_check_unknown(SYSCALL_VM_ENTER);
}

static const struct test tests[] = {
	{"object-ports", "ports are the guest's while a capability enables them", object_ports,
		NULL},
	{"object-unmap", "memory taken from the guest is gone at once", object_unmap, NULL},
	{"object-no-vcpu", "VMEnter without a VCPU is an unknown system call", object_no_vcpu,
		NULL},
	{"object-empty-space", "a thread without guest space or buffer can still enter",
		object_empty_space, NULL},
	{"object-delete", "deleting the VCPU takes its thread out of the guest", object_delete,
		NULL},
	{"object-taken", "giving the VCPU to another thread takes the first out of the guest",
		object_taken, NULL},
};

TEST_FILE(test_objects);
