// SPDX-License-Identifier: BSD-2-Clause
// Invalid states, junk, objects that are deleted while in use: the guest or its VMM sees an error,
// and no other thread is affected.
#include <x86/cr.h>

#include "guest.h"
#include "test.h"

CODE_DECLARE(code_vmcall);
CODE_DECLARE(code_port_junk);
CODE_DECLARE(code_msr_junk);

enum {
	EVENT_RESERVED_TYPE = 1 << 8,
	ERROR_CONTROLS = 7, // VM-instruction error: invalid control fields
	MSRS_PER_RANGE = 0x400,
	STUB_PROTECTION = 0x10d,
	WRMSR_LENGTH = 2,
	REGISTER_RDI = 5,
};

#define CR0_PAGING 0x80000001ul // PG and PE

static struct guest *const guest = &guest_one;

static void run_to_vmcall(void) {
	guest->rip = GUEST_CODE;
	guest->primary = 0;
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
}

// Directly above the lower half of addresses the guest's next fetch faults; farther out VM entry
// would fail.
static void error_rip(const struct test *) {
	const uint64_t behind = 1ul << 47;

	guest_reset(guest, CODE(code_vmcall));
	guest->rip = behind;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), STUB_PROTECTION);
	CHECK_EQUAL(*guest_word(guest, field_read(guest, VMCS_GUEST_RSP) + 8), behind);
	field_write(guest, VMCS_GUEST_RIP, 1ul << 48);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_RIP), 0);
}

static void error_guest_state(const struct test *) {
	guest_reset(guest, CODE(code_vmcall));
	field_write(guest, VMCS_GUEST_CR4, 0); // 64-bit mode without PAE
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_GUEST_STATE);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION], 0);
	field_write(guest, VMCS_GUEST_CR4, CR4_PAE);
	run_to_vmcall();
}

static void error_controls(const struct test *) {
	guest_reset(guest, CODE(code_vmcall));
	for (int i = 0; i < 3; i++) {
		guest->rip = GUEST_CODE;
		guest->event = INTERRUPTION_VALID | EVENT_RESERVED_TYPE;
		guest_enter(guest);
		CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
		CHECK_EQUAL(guest->words[WORD_REASON], REASON_NOT_ENTERED);
		CHECK_EQUAL(guest->words[WORD_QUALIFICATION], UINT64_MAX);
		CHECK_EQUAL(field_read(guest, VMCS_INSTRUCTION_ERROR), ERROR_CONTROLS);
		run_to_vmcall();
	}
}

static void error_forced(const struct test *) {
	const struct {
		uint32_t field;
		uint64_t bits;
	} forced[] = {
		{VMCS_PIN_CONTROLS, 0x29},
		{VMCS_PRIMARY_CONTROLS, 0x92180000},
		{VMCS_SECONDARY_CONTROLS, 0x42},
		{VMCS_EXIT_CONTROLS, 0x3c0204},
		// AMD-V has no VMXE, and switches the whole of CR0.
		{VMCS_GUEST_CR4, CR4_MCE | (guest_is_svm ? 0 : CR4_VMXE)},
		{VMCS_CR0_MASK, guest_is_svm ? 0 : 0x60000000},
		{VMCS_CR4_MASK, guest_is_svm ? 0 : CR4_MCE},
	};
	static const struct {
		uint32_t field;
		uint64_t bits;
	} refused[] = {
		{VMCS_PIN_CONTROLS, 0x80}, // posted interrupts
		{VMCS_PRIMARY_CONTROLS, 0x220000}, // TPR shadow, tertiary controls
		{VMCS_SECONDARY_CONTROLS,
			0xffea6311}, // all that needs pointers or unswitched state
		{VMCS_ENTRY_CONTROLS, 0x510c00}, // SMM, CET and others
		{VMCS_GUEST_CR4, 0xfff8d000 & ~0x370000u},
		{VMCS_GUEST_ACTIVITY, 2}, // shutdown, wait-for-SIPI
	};

	guest_reset(guest, CODE(code_vmcall));
	for (unsigned i = 0; i < array_count(forced); i++) {
		field_write(guest, forced[i].field, 0);
		CHECK_EQUAL(field_read(guest, forced[i].field) & forced[i].bits, forced[i].bits);
	}
	for (unsigned i = 0; i < array_count(refused); i++) {
		seL4_X86_VCPU_WriteVMCS_t written = seL4_X86_VCPU_WriteVMCS(
			guest->vcpu, refused[i].field, 0xffffffff);

		CHECK_EQUAL(written.error, 0);
		CHECK_EQUAL(written.written & refused[i].bits, 0);
		CHECK_EQUAL(field_read(guest, refused[i].field), written.written);
	}
	CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(guest->vcpu, VMCS_GUEST_ACTIVITY, 3).written, 0);
}

static void error_fields(const struct test *) {
	static const uint64_t hidden[] = {VMCS_VPID, VMCS_HOST_CS_SELECTOR, VMCS_IO_BITMAP_A,
		VMCS_MSR_BITMAP, 0x2006, VMCS_EPT_POINTER, VMCS_LINK_POINTER, VMCS_HOST_PAT,
		VMCS_CR3_TARGET_COUNT, VMCS_EXIT_MSR_STORE_COUNT, VMCS_TPR_THRESHOLD,
		VMCS_EXIT_REASON, VMCS_HOST_SYSENTER_CS, VMCS_EXIT_QUALIFICATION, VMCS_HOST_CR0,
		VMCS_HOST_CR3, VMCS_HOST_RSP, VMCS_HOST_RIP, 0x681f, 0x2801, 0x7000, 0xffff,
		0x10000681e, ~0ul};
	static const uint64_t read_only[] = {VMCS_GUEST_PHYSICAL_ADDRESS, VMCS_INSTRUCTION_ERROR,
		VMCS_EXIT_INTERRUPTION, VMCS_IDT_VECTORING, VMCS_EXIT_INSTRUCTION_LENGTH,
		VMCS_EXIT_INSTRUCTION_INFORMATION, VMCS_IO_RCX, VMCS_GUEST_LINEAR_ADDRESS};

	for (unsigned i = 0; i < array_count(hidden); i++) {
		CHECK_EQUAL(seL4_X86_VCPU_ReadVMCS(guest->vcpu, hidden[i]).error,
			seL4_IllegalOperation);
		CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(guest->vcpu, hidden[i], 0).error,
			seL4_IllegalOperation);
	}
	for (unsigned i = 0; i < array_count(read_only); i++) {
		CHECK_EQUAL(seL4_X86_VCPU_ReadVMCS(guest->vcpu, read_only[i]).error, 0);
		CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(guest->vcpu, read_only[i], 0).error,
			seL4_IllegalOperation);
	}
}

// Junk in the whole VMCS

static uint64_t random_next(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void write_junk(uint64_t *state) {
	static const struct {
		uint16_t first, last;
	} ranges[] = {{VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_TR_SELECTOR},
		{VMCS_GUEST_DEBUGCTL, VMCS_GUEST_PDPTE3},
		{VMCS_PIN_CONTROLS, VMCS_EXCEPTION_BITMAP},
		{VMCS_EXIT_CONTROLS, VMCS_SECONDARY_CONTROLS},
		{VMCS_GUEST_ES_LIMIT, VMCS_PREEMPTION_TIMER}, {VMCS_CR0_MASK, VMCS_CR4_SHADOW},
		{VMCS_GUEST_CR0, VMCS_GUEST_SYSENTER_EIP}};
	unsigned range = (unsigned)(random_next(state) % array_count(ranges));
	uint64_t span = (uint64_t)(ranges[range].last - ranges[range].first) / 2 + 1;
	uint64_t field = ranges[range].first + 2 * (random_next(state) % span);
	uint64_t junk = random_next(state);

	// Now all of it, now one bit.
	if (junk & 1) junk = 1ul << (junk >> 58);
	// Bochs does not check that a 64-bit guest has paging on, and stops.
	if (field == VMCS_GUEST_CR0) junk |= CR0_PAGING;
	(void)seL4_X86_VCPU_WriteVMCS(guest->vcpu, field, junk);
}

static void error_junk(const struct test *) {
	uint64_t state = 0x2545f4914f6cdd1d;

	for (unsigned round = 0; round < 600; round++) {
		guest_reset(guest, CODE(code_vmcall));
		// A guest that runs wild must be stopped.
		field_write(guest, VMCS_PIN_CONTROLS, 1 << 6);
		field_write(guest, VMCS_PREEMPTION_TIMER, 20000);
		for (unsigned i = 0; i <= round % 4; i++)
			write_junk(&state);
		(void)seL4_X86_VCPU_WriteVMCS(guest->vcpu, VMCS_PIN_CONTROLS, 1 << 6);
		(void)seL4_X86_VCPU_WriteVMCS(guest->vcpu, VMCS_PREEMPTION_TIMER, 20000);
		guest->primary = random_next(&state) & random_next(&state);
		guest->event = round % 8 ? 0 : random_next(&state);
		guest_enter(guest);
		if (!CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT)) return;
	}
	guest_reset(guest, CODE(code_vmcall));
	run_to_vmcall();
}

// Every port once; the access always exits and the VMM skips it.
static void error_port_junk(const struct test *) {
	uint64_t exits = 0;

	guest_reset(guest, CODE(code_port_junk));
	for (;;) {
		guest_enter(guest);
		if (guest->words[WORD_REASON] != REASON_IO) break;
		if (!check_equal(PLACE, "port", guest->words[WORD_QUALIFICATION] >> 16, exits))
			return;
		exits++;
		guest_skip(guest);
	}
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(exits, 0x10000);
}

// Behind the WRMSR that faulted: what the stub's IRETQ would do, without the error code.
static void skip_fault(void) {
	uint64_t stack = field_read(guest, VMCS_GUEST_RSP);

	guest->rip = *guest_word(guest, stack + 8) + WRMSR_LENGTH;
	field_write(guest, VMCS_GUEST_RSP, *guest_word(guest, stack + 32));
}

// A WRMSR either exits, or does what the guest may do to its own registers, or faults there.
static void msr_range(uint64_t first) {
	guest_reset(guest, CODE(code_msr_junk));
	guest->registers.ebx = first;
	guest->registers.edi = MSRS_PER_RANGE;
	guest_set_registers(guest);
	for (unsigned left = 2 * MSRS_PER_RANGE; left; left--) {
		guest_enter(guest);
		if (guest->words[WORD_REASON] == REASON_WRMSR) {
			guest_skip(guest);
		} else if (guest_register(guest, REGISTER_RDI) == 0) {
			break;
		} else {
			CHECK_EQUAL(guest_register(guest, 0), STUB_PROTECTION);
			skip_fault();
		}
	}
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, REGISTER_RDI), 0);
}

static void error_msr_junk(const struct test *) {
	msr_range(0x100);
	msr_range(0x800);
	msr_range(0x1c00);
	msr_range(0x40000000);
	msr_range(0xc0000000);
	msr_range(0xc0000103);
	msr_range(0xffffff00);
	guest_reset(guest, CODE(code_vmcall));
	run_to_vmcall();
}

static const struct test tests[] = {
	{"error-rip", "RIP above the lower half of addresses faults in the guest", error_rip, NULL},
	{"error-guest-state", "a wrong guest state is refused, a right one runs after it",
		error_guest_state, NULL},
	{"error-controls", "an entry that the CPU refuses has no other effect", error_controls,
		NULL},
	{"error-forced", "controls the kernel needs stay set, those it cannot serve stay clear",
		error_forced, NULL},
	{"error-fields", "fields that are the kernel's cannot be read or written", error_fields,
		NULL},
	{"error-junk", "junk in the VMCS ends in an exit every time", error_junk, NULL},
	{"error-port-junk", "junk to every port exits", error_port_junk, NULL},
	{"error-msr-junk", "junk to thousands of MSRs exits or faults in the guest", error_msr_junk,
		NULL},
};

TEST_FILE(test_errors);
