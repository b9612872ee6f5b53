// SPDX-License-Identifier: BSD-2-Clause
// The state page of a VCPU: what it shows of exits, what it changes in the guest, and what becomes
// of values and pages that must not be.
#include "page.h"

#include <base/memory.h>
#include <user/slots.h>
#include <user/untyped.h>
#include <x86/cr.h>

#include "helper.h"
#include "test.h"

CODE_DECLARE(code_cpuid);
CODE_DECLARE(code_out);
CODE_DECLARE(code_write);
CODE_DECLARE(code_spin_masked);
CODE_DECLARE(code_vmcall);

enum {
	VECTOR_TEST = 0x40,
	RAX = 0,
	RCX = 1,
	RSP = 4,
	MARK = 0x5a,
};

static struct guest *const guest = &guest_one;
static volatile uint64_t helper_result;
static volatile uint64_t helper_word;

// What an exit says

static void page_exit(const struct test *) {
	page_give(guest, CODE(code_cpuid));
	page->registers[RCX] = 1;
	CHECK_EQUAL(page_run(), VCPU_EXIT_CPUID);
	CHECK_EQUAL(page->dirty, 0);
	CHECK_EQUAL(page->instruction_length, guest_has_lengths ? 2 : 0);
	CHECK(!(page->controls_offered & VCPU_BY_AMD_V) == !guest_is_svm);
	CHECK_EQUAL(page->registers[RAX], 0x12345678);
	CHECK_EQUAL(page->registers[RCX], 7);
	CHECK_EQUAL(page->rip, GUEST_CODE + 10);
	CHECK_EQUAL(page->rflags, 2);
	page->rip += 2;
	page->registers[RAX] = MARK;
	page->dirty = VCPU_GROUP_RIP;
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(page->registers[RAX], MARK);
	page_take(guest);
}

static void page_mask(const struct test *) {
	page_give(guest, CODE(code_cpuid));
	page->save[VCPU_EXIT_CPUID] = 0;
	page->rflags = MARK;
	CHECK_EQUAL(page_run(), VCPU_EXIT_CPUID);
	CHECK_EQUAL(page->rip, GUEST_CODE);
	CHECK_EQUAL(page->rflags, MARK);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest->vcpu, PAGE_ALWAYS | VCPU_GROUP_RSP), 0);
	CHECK_EQUAL(page->saved, PAGE_ALWAYS | VCPU_GROUP_RSP);
	CHECK_EQUAL(page->rip, GUEST_CODE + 10);
	CHECK_EQUAL(page->rflags, 2);
	CHECK_EQUAL(page->registers[RSP], GUEST_STACK_TOP);
	page_take(guest);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest->vcpu, PAGE_ALWAYS), seL4_IllegalOperation);
}

static void page_port(const struct test *) {
	page_give(guest, CODE(code_out));
	CHECK_EQUAL(page_run(), VCPU_EXIT_IO);
	CHECK_EQUAL(page->qualification & VCPU_IO_SIZE, 3);
	CHECK_EQUAL(page->qualification & (VCPU_IO_IN | VCPU_IO_STRING), 0);
	CHECK_EQUAL(page->qualification >> VCPU_IO_PORT_SHIFT, 0x80);
	page_take(guest);
}

static void page_memory(const struct test *) {
	page_give(guest, CODE(code_write));
	page->save[VCPU_EXIT_MEMORY] |= VCPU_GROUP_ADDRESS | VCPU_GROUP_PAGING | VCPU_GROUP_CODE |
		VCPU_GROUP_INSTRUCTION;
	CHECK_EQUAL(page_run(), VCPU_EXIT_MEMORY);
	CHECK_EQUAL(
		page->qualification & (VCPU_MEMORY_READ | VCPU_MEMORY_WRITE | VCPU_MEMORY_FETCH),
		VCPU_MEMORY_WRITE);
	CHECK(page->qualification & VCPU_MEMORY_FINAL);
	CHECK_EQUAL(page->instruction_count > 0, guest_is_svm && guest_has_operands);
	CHECK_EQUAL(
		memcmp(page->instruction_bytes, guest->memory + page->rip, page->instruction_count),
		0);
	CHECK_EQUAL(page->physical, GUEST_HOLE + 0x456);
	CHECK_EQUAL(page->linear, guest_is_svm ? 0 : GUEST_HOLE + 0x456);
	CHECK(!(page->qualification & VCPU_MEMORY_LINEAR) == guest_is_svm);
	CHECK_EQUAL(page->cr3, GUEST_PML4);
	CHECK_EQUAL(page->efer, EFER_LMA | EFER_LME | EFER_SCE);
	CHECK(page->segments[VCPU_CS].attributes & VCPU_SEGMENT_CODE_64);
	page_take(guest);
}

// An event that is injected is gone; one that cannot be delivered is shown as interrupted.
static void page_event(const struct test *) {
	const struct vcpu_event event = {VCPU_EVENT_VALID | VECTOR_TEST, 0};

	page_give(guest, CODE(code_vmcall));
	page->event = event;
	page->rflags = FLAGS_IF | 2;
	page->dirty |= VCPU_GROUP_EVENT | VCPU_GROUP_RFLAGS;
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(page->registers[RAX], 0x100 + VECTOR_TEST);
	CHECK_EQUAL(page->event.information, 0);
	page->event = event;
	page->idtr = (struct vcpu_table){GUEST_HOLE, 0xfff};
	page->gdtr = (struct vcpu_table){GUEST_GDT, 0x27};
	page->dirty = VCPU_GROUP_EVENT;
	field_write(guest, VMCS_GUEST_IDTR_BASE, GUEST_HOLE);
	field_write(guest, VMCS_GUEST_RFLAGS, FLAGS_IF | 2);
	page->save[VCPU_EXIT_MEMORY] |= VCPU_GROUP_INTERRUPTED;
	CHECK_EQUAL(page_run(), VCPU_EXIT_MEMORY);
	CHECK_EQUAL(page->interrupted.information, event.information);
	page->event = event;
	page->event_length = 16;
	page->dirty = VCPU_GROUP_EVENT;
	CHECK_EQUAL(page_run(), VCPU_EXIT_VALUE_REFUSED);
	CHECK_EQUAL(1u << page->qualification, VCPU_GROUP_EVENT);
	CHECK_EQUAL(page->dirty, VCPU_GROUP_EVENT);
	page_take(guest);
}

static void page_exception(const struct test *) {
	const uint64_t nowhere = 1ul << 46; // no page of the guest

	page_give(guest, CODE(code_vmcall));
	page->exceptions = 1 << 14 | 1 << 6;
	page->rip = nowhere;
	CHECK_EQUAL(page_run(), VCPU_EXIT_EXCEPTION);
	CHECK_EQUAL(page->exception.information & (VCPU_EVENT_VECTOR | VCPU_EVENT_TYPE),
		VCPU_EVENT_EXCEPTION | 14);
	CHECK_EQUAL(page->qualification, nowhere);
	CHECK(page->event.information == 0);
	page_take(guest);
}

// Signals

static void page_signal(const struct test *) {
	seL4_Word badge = 0;

	page_give(guest, CODE(code_spin_masked));
	helper_bind();
	helper_run(helper_signal, HELPER_EQUAL);
	CHECK_EQUAL(nacre_VCPU_Run(&badge), VCPU_EXIT_NOTIFICATION);
	CHECK_EQUAL(badge, HELPER_BADGE);
	CHECK_EQUAL(page->reason, VCPU_EXIT_NOTIFICATION);
	CHECK(page->rip > GUEST_CODE);
	CHECK_EQUAL(page->saved, PAGE_ALWAYS);
	helper_stop();
	helper_unbind();
	page_take(guest);
}

static void page_timer(const struct test *) {
	page_give(guest, CODE(code_spin_masked));
	if (page->controls_offered & VCPU_OFFERS_TIMER) {
		page->timer = 100000;
		page->dirty |= VCPU_GROUP_TIMER;
		CHECK_EQUAL(page_run(), VCPU_EXIT_TIMER);
		page->timer = 0;
		CHECK_EQUAL(page_load(VCPU_GROUP_TIMER), VCPU_EXIT_NOTIFICATION);
	}
	page_take(guest);
}

// The page and who may have it

static void helper_enter(void) {
	struct sel4_registers registers = {};

	sel4_syscall(SYSCALL_VCPU_RUN, &registers);
	helper_result = registers.rsi;
	registers = (struct sel4_registers){.rdi = helper_notification};
	sel4_syscall(SYSCALL_SEND, &registers);
}

static void page_none(const struct test *) {
	helper_run(helper_enter, HELPER_ABOVE);
	helper_check_unknown(SYSCALL_VCPU_RUN);
}

static void start_in_helper(void) {
	volatile uint64_t *counter = guest_word(&guest_two, GUEST_DATA);

	page_give(&guest_two, CODE(code_spin_masked));
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, helper_tcb), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(helper_tcb, guest_two.space.root), 0);
	helper_run(helper_enter, HELPER_EQUAL);
	while (*counter < 100)
		seL4_Yield();
}

// While the guest runs, its page goes: the run is an unknown system call from then on.
static void page_taken(const struct test *) {
	start_in_helper();
	page_take(&guest_two);
	helper_check_unknown(SYSCALL_VCPU_RUN);
	start_in_helper();
	CHECK_EQUAL(seL4_CNode_Revoke(seL4_CapInitThreadCNode, page_frame, seL4_WordBits), 0);
	helper_check_unknown(SYSCALL_VCPU_RUN);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest_two.vcpu, PAGE_ALWAYS), seL4_IllegalOperation);
	start_in_helper();
	slots_delete(page_frame, 1);
	page_frame = 0;
	helper_word = *guest_word(&guest_two, GUEST_DATA);
	while (*guest_word(&guest_two, GUEST_DATA) == helper_word)
		seL4_Yield(); // it goes on without the capability, and without a mapping
	helper_stop();
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, seL4_CapInitThreadTCB), 0);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest_two.vcpu, PAGE_ALWAYS), 0);
	page_take(&guest_two);
}

static void page_deleted_vcpu(const struct test *) {
	struct guest third = guest_two;

	third.vcpu = object_make(OBJECT_VCPU, 0);
	CHECK(third.vcpu);
	page_give(&third, CODE(code_vmcall));
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(third.vcpu, seL4_CapInitThreadTCB), 0);
	slots_delete(third.vcpu, 1);
	// The frame has no descendant left that would keep its memory.
	CHECK_EQUAL(seL4_CNode_Revoke(seL4_CapInitThreadCNode, page_frame, seL4_WordBits), 0);
	page->rip = MARK;
	CHECK_EQUAL(page->rip, MARK);
	guest_reset(&guest_two, CODE(code_vmcall));
	guest_enter(&guest_two);
	CHECK_EQUAL(guest_two.words[WORD_REASON], REASON_VMCALL);
}

static void page_refusals(const struct test *) {
	struct sel4_invocation no_word = {LABEL_VCPU_SAVE_STATE, 0, 0, {0, 0, 0, 0}};
	seL4_CPtr copy = slots_allocate(1);

	page_give(guest, CODE(code_vmcall));
	CHECK_EQUAL(nacre_VCPU_SetStatePage(guest->vcpu, guest->frame), seL4_InvalidCapability);
	CHECK_EQUAL(nacre_VCPU_SetStatePage(guest->vcpu, helper_tcb), seL4_InvalidCapability);
	CHECK_EQUAL(seL4_CNode_Copy(seL4_CapInitThreadCNode, copy, seL4_WordBits,
			    seL4_CapInitThreadCNode, page_frame, seL4_WordBits, seL4_CanRead),
		0);
	CHECK_EQUAL(nacre_VCPU_SetStatePage(guest->vcpu, copy), seL4_InvalidCapability);
	slots_delete(copy, 1);
	CHECK_EQUAL(sel4_invoke(guest->vcpu, &no_word), seL4_TruncatedMessage);
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL); // the first one is still there
	page_take(guest);
}

// Both interfaces see one guest.
static void page_mixed(const struct test *) {
	page_give(guest, CODE(code_cpuid));
	CHECK_EQUAL(page_run(), VCPU_EXIT_CPUID);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_RIP), GUEST_CODE + 10);
	guest->rip = GUEST_CODE + 12;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), page->registers[RAX]);
	guest->registers.ebx = MARK;
	guest_set_registers(guest);
	CHECK_EQUAL(page->registers[3], MARK);
	page_take(guest);
	guest->rip = GUEST_CODE + 12;
	guest_enter(guest);
	CHECK_EQUAL(guest_register(guest, 1), MARK);
}

static const struct test tests[] = {
	{"page-exit", "an exit shows registers, length and RIP, and the run goes on with changes",
		page_exit, NULL},
	{"page-mask", "an exit saves what the monitor chose for its reason, SaveState the rest",
		page_mask, "VCPUSaveState/0 VCPUSaveState/2"},
	{"page-port", "the qualification of a port access", page_port, NULL},
	{"page-memory", "a memory access shows its addresses and how they are translated",
		page_memory, NULL},
	{"page-event", "an event is injected, or shown as interrupted", page_event, NULL},
	{"page-exception", "an exception that exits is shown", page_exception, NULL},
	{"page-signal", "a signal ends the run", page_signal, NULL},
	{"page-timer", "the guest's time ends the run", page_timer, NULL},
	{"page-none", "VCPURun without a page is an unknown system call", page_none, NULL},
	{"page-taken", "a page that is taken or revoked is gone at once", page_taken, NULL},
	{"page-deleted-vcpu", "deleting the VCPU lets go of the page", page_deleted_vcpu, NULL},
	{"page-refusals", "a page is a frame of 4 KiB with all rights", page_refusals,
		"VCPUSetStatePage/0 VCPUSetStatePage/1 VCPUSaveState/1"},
	{"page-mixed", "VMEnter, registers and fields agree with the page", page_mixed, NULL},
};

TEST_FILE(test_page);
