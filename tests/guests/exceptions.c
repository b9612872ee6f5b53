// SPDX-License-Identifier: BSD-2-Clause
// Exceptions that always exit, whatever the VMM requested: the guest gets them from the kernel as
// it would from the CPU, and endless ones take no time from other threads.
#include <base/memory.h>

#include "guest.h"
#include "helper.h"
#include "test.h"

CODE_DECLARE(code_debug);
CODE_DECLARE(code_debug_loop);
CODE_DECLARE(code_unaligned);
CODE_DECLARE(code_unaligned_loop);
extern const uint8_t debug_step[], debug_step_stop[], debug_step_sti[], debug_step_sti_stop[],
	debug_write[], debug_write_stop[], debug_execute[], debug_execute_stop[], debug_registers[],
	debug_registers_stop[], debug_int1[], debug_int1_stop[], debug_handler[];

enum {
	EXCEPTIONS = 32,
	REGISTER_R8 = 7,
	REGISTER_R9 = 8,
	DR7_FIXED = 0x400,
	BREAKPOINT_WRITE_8 = 0x90001, // DR7: the first, 8 bytes
	GATE_IST_1 = 1, // in its second half
	TSS_RSP0 = 4, // offsets in the TSS, which is at 0
	TSS_IST_1 = 0x24,
	TABLE_USER = 4,
	SELECTOR_USER_CODE = 0x2b,
	SELECTOR_USER_DATA = 0x33,
	RFLAGS_ALIGNMENT = 0x40002,
};

#define DR6_FIXED 0xffff0ff0ul
#define DR6_OLD 0xffff0ff2ul // the second breakpoint
#define CODE_USER_64 0x00affb000000fffful
#define CODE_USER_32 0x00cffb000000fffful
#define DATA_USER 0x00cff3000000fffful
#define CR0_ALIGNMENT 0x40000ul

static struct guest *const guest = &guest_one;

static void store(uint64_t address, uint64_t value) {
	memcpy(guest->memory + address, &value, sizeof(value));
}

static void set_fields(const uint64_t (*fields)[2], unsigned count) {
	for (unsigned i = 0; i < count; i++)
		field_write(guest, (uint32_t)fields[i][0], fields[i][1]);
}

// #DB

struct debug_row {
	const uint8_t *start, *stop;
	uint64_t causes; // of DR6
	uint64_t dr7; // in the handler
};

#define DEBUG_ROW(name, ...) \
	&(const struct debug_row) { name, name##_stop, __VA_ARGS__ }

static uint64_t place(const uint8_t *label) { return GUEST_CODE + (uint64_t)(label - code_debug); }

static void debug_start(const struct debug_row *row) {
	guest_reset(guest, CODE(code_debug));
	guest_set_gate(guest, VECTOR_DEBUG, place(debug_handler));
	guest->rip = place(row->start);
	// What an earlier one left goes when there are new causes.
	field_write(guest, VCPU_FIELD_DR6, DR6_OLD);
}

// QEMU has neither INT1, which the guarded access comes to as well, nor the step after STI.
static bool is_missing(const struct debug_row *row) {
	uint64_t stop = *guest_word(guest, field_read(guest, VMCS_GUEST_RSP));

	if (guest_register(guest, 0) == 0x100 + VECTOR_INVALID_OPCODE)
		test_skip("this emulator has no INT1, and guards no debug register");
	else if (row->start == debug_step_sti && stop == place(row->stop) + 1)
		test_skip("this emulator steps over the instruction after STI, too");
	else
		return false;
	return true;
}

static void exception_debug(const struct test *test) {
	const struct debug_row *row = test->data;
	uint64_t dr6 = row->causes ? DR6_FIXED | row->causes : DR6_OLD;
	// With AMD-V the CPU writes DR6; QEMU 9 and 10 leave what an earlier one left there.
	uint64_t sure = guest_is_svm ? ~(DR6_OLD & ~DR6_FIXED) : UINT64_MAX;

	debug_start(row);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	if (guest_is_svm && is_missing(row)) return;
	CHECK_EQUAL(*guest_word(guest, field_read(guest, VMCS_GUEST_RSP)), place(row->stop));
	CHECK_EQUAL(guest_register(guest, REGISTER_R8) & sure, dr6 & sure);
	CHECK_EQUAL(guest_register(guest, REGISTER_R9), row->dr7);
	CHECK_EQUAL(field_read(guest, VCPU_FIELD_DR6) & sure, dr6 & sure);
}

static void exception_asked(const struct test *test) {
	const struct debug_row *row = test->data;

	debug_start(row);
	field_write(guest, VMCS_EXCEPTION_BITMAP, 1 << VECTOR_DEBUG);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_EXCEPTION);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION], row->causes);
	CHECK_EQUAL(guest->rip, place(row->stop));
	// With AMD-V the CPU has written the causes there.
	CHECK_EQUAL(field_read(guest, VCPU_FIELD_DR6),
		guest_is_svm ? DR6_FIXED | row->causes : DR6_OLD);
}

static void exception_bitmap(const struct test *) {
	static const uint64_t values[] = {0, 1 << 6, 0xffffffff, 1 << VECTOR_DEBUG};

	for (unsigned i = 0; i < array_count(values); i++) {
		CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(guest->vcpu, VMCS_EXCEPTION_BITMAP, values[i])
				    .written,
			values[i]);
		CHECK_EQUAL(field_read(guest, VMCS_EXCEPTION_BITMAP), values[i]);
	}
}

// Ends only because others run too.
static void check_loop(void) {
	helper_bind();
	for (int i = 0; i < 3; i++) {
		helper_run(helper_signal, HELPER_EQUAL);
		guest_enter(guest);
		CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_NOTIF);
		CHECK_EQUAL(guest->badge, HELPER_BADGE);
		guest->event = guest->words[WORD_EVENT];
	}
	helper_stop();
	helper_unbind();
}

static void exception_debug_loop(const struct test *) {
	const uint64_t stack = GUEST_DATA + 0x1000;

	guest_reset(guest, CODE(code_debug_loop));
	*guest_word(guest, GUEST_IDT + VECTOR_DEBUG * 16) |= (uint64_t)GATE_IST_1 << 32;
	store(TSS_IST_1, stack);
	field_write(guest, VCPU_FIELD_DR0, stack - 8);
	field_write(guest, VMCS_GUEST_DR7, DR7_FIXED | BREAKPOINT_WRITE_8);
	check_loop();
}

// #AC

static void user_segments(uint64_t code) {
	static const uint64_t fields[][2] = {{VMCS_GUEST_CS_SELECTOR, SELECTOR_USER_CODE},
		{VMCS_GUEST_SS_SELECTOR, SELECTOR_USER_DATA},
		{VMCS_GUEST_ES_SELECTOR, SELECTOR_USER_DATA},
		{VMCS_GUEST_DS_SELECTOR, SELECTOR_USER_DATA}, {VMCS_GUEST_SS_ACCESS, 0xc0f3},
		{VMCS_GUEST_ES_ACCESS, 0xc0f3}, {VMCS_GUEST_DS_ACCESS, 0xc0f3},
		{VMCS_GUEST_GDTR_LIMIT, 0x37}, {VMCS_GUEST_RFLAGS, RFLAGS_ALIGNMENT}};

	*guest_word(guest, GUEST_GDT + 0x28) = code;
	*guest_word(guest, GUEST_GDT + 0x30) = DATA_USER;
	set_fields(fields, array_count(fields));
	field_write(guest, VMCS_GUEST_CR0, field_read(guest, VMCS_GUEST_CR0) | CR0_ALIGNMENT);
}

static void exception_alignment(const struct test *) {
	uint64_t stack;

	guest_reset(guest, CODE(code_unaligned));
	user_segments(CODE_USER_64);
	field_write(guest, VMCS_GUEST_CS_ACCESS, 0xa0fb);
	*guest_word(guest, GUEST_PML4) |= TABLE_USER;
	*guest_word(guest, GUEST_PDPT) |= TABLE_USER;
	*guest_word(guest, GUEST_PD) |= TABLE_USER;
	store(TSS_RSP0, GUEST_STACK_TOP);
	field_write(guest, VMCS_ENTRY_ERROR_CODE, 0x50);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	if (guest_is_svm && guest->rip != GUEST_STUBS + VECTOR_ALIGNMENT * 16 + 5) {
		test_skip("this emulator checks no alignment");
		return;
	}
	CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_ALIGNMENT);
	stack = field_read(guest, VMCS_GUEST_RSP);
	CHECK_EQUAL(*guest_word(guest, stack), 0);
	CHECK_EQUAL(*guest_word(guest, stack + 8), GUEST_CODE);
}

static void exception_alignment_loop(const struct test *) {
	static const uint64_t fields[][2] = {{VMCS_GUEST_EFER, 0}, {VMCS_ENTRY_CONTROLS, 0x8004},
		{VMCS_GUEST_CR4, 0}, {VMCS_GUEST_CR0, 0x31}, {VMCS_GUEST_CS_ACCESS, 0xc0fb},
		{VMCS_GUEST_RSP, GUEST_STACK_TOP - 3}};

	guest_reset(guest, CODE(code_unaligned_loop));
	set_fields(fields, array_count(fields));
	if (field_read(guest, VMCS_GUEST_CR0) >> 31) {
		test_skip("this CPU has no unrestricted guest");
		return;
	}
	user_segments(CODE_USER_32);
	for (unsigned i = 0; i < EXCEPTIONS; i++)
		store(GUEST_IDT + i * 8,
			(GUEST_CODE + 1) | SELECTOR_USER_CODE << 16 | 0x8e00ul << 32);
	check_loop();
}

static const struct test tests[] = {
	{"exception-bitmap", "the exception bitmap reads as it was written", exception_bitmap,
		NULL},
	{"exception-step", "the guest gets its single-step #DB", exception_debug,
		DEBUG_ROW(debug_step, 1 << 14, DR7_FIXED)},
	{"exception-step-sti", "the guest gets its single-step #DB after STI", exception_debug,
		DEBUG_ROW(debug_step_sti, 1 << 14, DR7_FIXED)},
	{"exception-write", "the guest gets the #DB of a data breakpoint", exception_debug,
		DEBUG_ROW(debug_write, 1, DR7_FIXED | 0x10001)},
	{"exception-execute", "the guest gets the #DB of an instruction breakpoint",
		exception_debug, DEBUG_ROW(debug_execute, 1, DR7_FIXED | 1)},
	{"exception-registers", "the guest gets the #DB that guards debug registers",
		exception_debug, DEBUG_ROW(debug_registers, 1 << 13, DR7_FIXED)},
	{"exception-int1", "the guest gets the #DB of INT1", exception_debug,
		DEBUG_ROW(debug_int1, 0, DR7_FIXED)},
	{"exception-asked", "a VMM that asks for #DB gets it instead", exception_asked,
		DEBUG_ROW(debug_step, 1 << 14, 0)},
	{"exception-debug-loop", "a #DB that raises itself leaves the CPU to others",
		exception_debug_loop, NULL},
	{"exception-alignment", "the guest gets its #AC with error code 0", exception_alignment,
		NULL},
	{"exception-alignment-loop", "an #AC that raises itself leaves the CPU to others",
		exception_alignment_loop, NULL},
};

TEST_FILE(test_exceptions);
