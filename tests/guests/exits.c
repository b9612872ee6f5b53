// SPDX-License-Identifier: BSD-2-Clause
// Exit reasons one by one: what the guest does, and the exit record that the VMM gets.
#include <x86/cr.h>
#include <x86/msr.h>
#include <x86/svm.h>

#include "guest.h"
#include "test.h"

CODE_DECLARE(code_cpuid);
CODE_DECLARE(code_hlt);
CODE_DECLARE(code_pause);
CODE_DECLARE(code_in);
CODE_DECLARE(code_out);
CODE_DECLARE(code_out_immediate);
CODE_DECLARE(code_outs);
CODE_DECLARE(code_rdmsr);
CODE_DECLARE(code_wrmsr);
CODE_DECLARE(code_msr_read);
CODE_DECLARE(code_msr_write);
CODE_DECLARE(code_read);
CODE_DECLARE(code_write);
CODE_DECLARE(code_execute);
CODE_DECLARE(code_cr0);
CODE_DECLARE(code_lmsw);
CODE_DECLARE(code_smsw);
CODE_DECLARE(code_clts);
CODE_DECLARE(code_cr3);
CODE_DECLARE(code_cr4_keys);
CODE_DECLARE(code_cr8);
CODE_DECLARE(code_xsetbv);
CODE_DECLARE(code_vmcall);
CODE_DECLARE(code_vmxon);
CODE_DECLARE(code_vmptrld);
CODE_DECLARE(code_rdtsc);
CODE_DECLARE(code_rdpmc);
CODE_DECLARE(code_invlpg);
CODE_DECLARE(code_debug_register);
CODE_DECLARE(code_undefined);
CODE_DECLARE(code_wbinvd);
CODE_DECLARE(code_invd);
CODE_DECLARE(code_rsm);
CODE_DECLARE(code_sgdt);
CODE_DECLARE(code_triple_fault);
CODE_DECLARE(code_real_mode);
CODE_DECLARE(code_add_registers);

enum {
	NO_LENGTH = 0xff,
	PORT_IMMEDIATE = 1 << 6,
};

// What makes the guest exit, and what the record must hold.
struct exit_row {
	struct code code;
	uint64_t primary;
	uint64_t secondary;
	uint64_t reason;
	uint64_t qualification;
	uint8_t length; // NO_LENGTH: undefined
};

#define EXIT_ROW(code, ...) \
	&(const struct exit_row) { {code, code##_end}, __VA_ARGS__ }

// A port access has its length on every CPU, others on those of AMD that have NRIPS; where the
// operand is missing, too, the monitor has to look at the instruction.
static void check_length(const struct guest *guest, uint64_t length) {
	uint64_t reason = guest->words[WORD_REASON];
	bool has_operand = reason == REASON_CONTROL_REGISTER || reason == REASON_DEBUG_REGISTER ||
		reason == REASON_INVLPG;
	bool is_said = reason == REASON_IO ||
		(guest_has_lengths && (guest_has_operands || !has_operand));

	CHECK_EQUAL(guest->words[WORD_LENGTH], is_said ? length : 0);
	CHECK_EQUAL(guest_length(guest), length);
}

// What an exit with AMD-V leaves out.
static uint64_t qualification_of(const struct exit_row *row) {
	if (guest_is_svm && row->reason == REASON_IO)
		return row->qualification & ~(uint64_t)PORT_IMMEDIATE;
	if (!guest_has_operands && row->reason == REASON_INVLPG) return 0;
	return row->qualification;
}

// What an AMD CPU does instead, and what QEMU 7.2 does not intercept.
static bool skip_as_svm(const struct exit_row *row) {
	bool is_undefined = guest_register(&guest_one, 0) == 0x100 + VECTOR_INVALID_OPCODE;

	if (row->reason == REASON_VMXON || row->reason == REASON_VMPTRLD) {
		CHECK(is_undefined);
		test_skip("an instruction of VT-x is undefined with AMD-V");
	} else if (row->reason == REASON_XSETBV || row->reason == REASON_INVD) {
		test_skip("this emulator does not let the instruction exit");
	} else {
		return false;
	}
	return true;
}

static void exit_as_told(const struct test *test) {
	const struct exit_row *row = test->data;
	struct guest *guest = &guest_one;

	guest_reset(guest, &row->code);
	field_write(guest, VMCS_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED | row->secondary);
	// With VT-x the bits are the host's, and the mask says so by itself.
	if (guest_is_svm) field_write(guest, VMCS_CR0_MASK, CR0_CD | CR0_NW);
	guest->primary = row->primary;
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	if (guest_is_svm && guest->words[WORD_REASON] != row->reason && skip_as_svm(row)) return;
	CHECK_EQUAL(guest->words[WORD_REASON], row->reason);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION], qualification_of(row));
	if (row->length != NO_LENGTH) check_length(guest, row->length);
	CHECK_EQUAL(guest->words[WORD_EVENT] & INTERRUPTION_VALID, 0);
	CHECK_EQUAL(guest->words[WORD_PRIMARY] & row->primary, row->primary);
	if (row->length == NO_LENGTH || row->reason == REASON_VMCALL) return;
	guest_skip(guest);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
}

// What writes and reads the machine status word: with AMD-V the length, 0, tells that the
// instruction says which access it is.
static void exit_status_word(const struct test *test) {
	const struct exit_row *row = test->data;
	struct guest *guest = &guest_one;
	uint64_t is_read = (uint64_t)(row->code.start == code_smsw) << 4;

	guest_reset(guest, &row->code);
	field_write(guest, VMCS_CR0_MASK, CR0_TS | CR0_EM);
	field_write(guest, VMCS_CR0_SHADOW, CR0_TS);
	guest_enter(guest);
	if (!guest_is_svm && is_read) { // it has the shadow's bit
		CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
		CHECK_EQUAL(guest_register(guest, 0) & (CR0_TS | CR0_EM), CR0_TS);
		return;
	}
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_CONTROL_REGISTER);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION], guest_is_svm ? is_read : row->qualification);
	CHECK_EQUAL(guest->words[WORD_LENGTH], guest_is_svm ? 0 : row->length);
	guest->rip += row->length;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_CR0) & (CR0_TS | CR0_EM), 0);
}

static void exit_ept(const struct test *test) {
	static const uint64_t offsets[] = {0x123, 0x456, 0};
	const struct exit_row *row = test->data;
	struct guest *guest = &guest_one;
	unsigned kind = row->qualification == 1 ? 0 : row->qualification == 2 ? 1 : 2;

	guest_reset(guest, &row->code);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_EPT_VIOLATION);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION] & 0x3f, row->qualification);
	CHECK_EQUAL(guest->words[WORD_GUEST_PHYSICAL], GUEST_HOLE + offsets[kind]);
}

// What would change how the CPU speculates, counts branches or runs guests is the host's.
static void exit_host_msrs(const struct test *) {
	static const uint32_t numbers[] = {MSR_FEATURE_CONTROL, MSR_SPEC_CTRL, MSR_PRED_CMD,
		MSR_DEBUGCTL, MSR_LAST_BRANCH, MSR_HWCR, MSR_VM_CR, MSR_VM_HSAVE_PA,
		MSR_VIRT_SPEC_CTRL};
	const struct code *const codes[] = {CODE(code_msr_read), CODE(code_msr_write)};
	struct guest *guest = &guest_one;

	for (unsigned i = 0; i < 2 * array_count(numbers); i++) {
		guest_reset(guest, codes[i % 2]);
		guest->registers.ecx = numbers[i / 2];
		guest->registers.eax = 1;
		guest_set_registers(guest);
		guest_enter(guest);
		CHECK_EQUAL(guest->words[WORD_REASON], i % 2 ? REASON_WRMSR : REASON_RDMSR);
		CHECK_EQUAL(guest->rip, GUEST_CODE);
	}
}

static void exit_registers(const struct test *) {
	struct guest *guest = &guest_one;
	const uint64_t *first = &guest->registers.eax;

	guest_reset(guest, CODE(code_add_registers));
	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		(&guest->registers.eax)[i] = 0x1111111111111111ul * (i + 1);
	guest_set_registers(guest);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		CHECK_EQUAL(guest_register(guest, i), first[i] + i + 1);
}

static void exit_exception(const struct test *) {
	struct guest *guest = &guest_one;

	guest_reset(guest, CODE(code_undefined));
	field_write(guest, VMCS_EXCEPTION_BITMAP, 1 << 6);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_EXCEPTION);
	CHECK_EQUAL(field_read(guest, VMCS_EXIT_INTERRUPTION), INTERRUPTION_VALID | 3 << 8 | 6);
	// Without the bit it is the guest's own.
	field_write(guest, VMCS_EXCEPTION_BITMAP, 0);
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x106);
}

// A CPU that has no such bit raises #GP in the guest before anything exits.
static void exit_cr4(const struct test *) {
	struct guest *guest = &guest_one;

	guest_reset(guest, CODE(code_cr4_keys));
	guest_enter(guest);
	if (guest->words[WORD_REASON] == REASON_VMCALL) {
		CHECK_EQUAL(guest_register(guest, 0), 0x10d);
		return;
	}
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_CONTROL_REGISTER);
	CHECK_EQUAL(guest->words[WORD_QUALIFICATION], 4);
}

static void exit_cpuid(const struct test *) {
	struct guest *guest = &guest_one;

	guest_reset(guest, CODE(code_cpuid));
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_CPUID);
	check_length(guest, 2);
	CHECK_EQUAL(guest_register(guest, 0), 0x12345678);
	CHECK_EQUAL(guest_register(guest, 2), 7);
	CHECK_EQUAL(guest->words[WORD_RFLAGS], 2);
}

static void exit_real_mode(const struct test *) {
	static const struct {
		uint32_t field;
		uint64_t value;
	} fields[] = {
		{VMCS_GUEST_CR0, 0x30},
		{VMCS_GUEST_CR4, 0},
		{VMCS_GUEST_EFER, 0},
		{VMCS_ENTRY_CONTROLS, 0x8004},
		{VMCS_GUEST_CS_SELECTOR, 0x800},
		{VMCS_GUEST_CS_BASE, GUEST_CODE},
		{VMCS_GUEST_CS_LIMIT, 0xffff},
		{VMCS_GUEST_CS_ACCESS, 0x009b},
		{VMCS_GUEST_RSP, 0x1000},
	};
	struct guest *guest = &guest_one;

	guest_reset(guest, CODE(code_real_mode));
	if (!(field_read(guest, VMCS_SECONDARY_CONTROLS) & SECONDARY_UNRESTRICTED)) {
		test_skip("this CPU has no unrestricted guest");
		return;
	}
	for (unsigned i = 0; i < array_count(fields); i++)
		field_write(guest, fields[i].field, fields[i].value);
	guest->rip = 0;
	guest_enter(guest);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(guest, 0), 0x1234);
	CHECK_EQUAL(guest_register(guest, 1), 0x800);
	CHECK_EQUAL(guest_register(guest, 2), 0xfeedbeef);
}

// Outside SMM it is nothing's end (SDM 2B, RSM); AMD-V's intercept comes first (APM 2 15.13).
static void exit_rsm(const struct test *) {
	struct guest *guest = &guest_one;

	guest_reset(guest, CODE(code_rsm));
	guest_enter(guest);
	if (!guest_is_svm) {
		CHECK_EQUAL(guest_register(guest, 0), 0x100 + VECTOR_INVALID_OPCODE);
		return;
	}
	CHECK_EQUAL(guest->words[WORD_REASON], VCPU_EXIT_RSM);
	CHECK_EQUAL(guest->rip, GUEST_CODE);
}

// VMRUN, VMLOAD, VMSAVE, STGI, CLGI, SKINIT and INVLPGA differ in their last byte.
static void exit_svm(const struct test *) {
	static const uint8_t last[] = {0xd8, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf};
	struct guest *guest = &guest_one;

	if (!guest_is_svm) {
		test_skip("an instruction of AMD-V is undefined with VT-x");
		return;
	}
	for (unsigned i = 0; i < array_count(last); i++) {
		guest_reset(guest, CODE(code_vmcall));
		guest->memory[GUEST_CODE + 2] = last[i];
		guest_enter(guest);
		CHECK_EQUAL(guest->words[WORD_REASON], VCPU_EXIT_VIRTUALISATION);
		CHECK_EQUAL(guest->rip, GUEST_CODE);
	}
}

static const struct test tests[] = {
	{"exit-cpuid", "CPUID exits with its leaf and the record's words are right", exit_cpuid,
		NULL},
	{"exit-registers", "all general registers go in and come out", exit_registers, NULL},
	{"exit-hlt", "HLT exits when asked to", exit_as_told,
		EXIT_ROW(code_hlt, PRIMARY_HLT, 0, REASON_HLT, 0, 1)},
	{"exit-pause", "PAUSE exits when asked to", exit_as_told,
		EXIT_ROW(code_pause, PRIMARY_PAUSE, 0, REASON_PAUSE, 0, 2)},
	{"exit-in", "IN from a port exits with port and size", exit_as_told,
		EXIT_ROW(code_in, 0, 0, REASON_IO, 0x3f9ul << 16 | 1 << 3, 1)},
	{"exit-out", "OUT of 32 bits exits with port and size", exit_as_told,
		EXIT_ROW(code_out, 0, 0, REASON_IO, 0x80ul << 16 | 3, 1)},
	{"exit-out-immediate", "OUT to an immediate port says so", exit_as_told,
		EXIT_ROW(code_out_immediate, 0, 0, REASON_IO, 0x80ul << 16 | 1 << 6, 2)},
	{"exit-outs", "REP OUTSB exits as a string operation", exit_as_told,
		EXIT_ROW(code_outs, 0, 0, REASON_IO, 0x3f8ul << 16 | 3 << 4, 2)},
	{"exit-rdmsr", "RDMSR of STAR exits", exit_as_told,
		EXIT_ROW(code_rdmsr, 0, 0, REASON_RDMSR, 0, 2)},
	{"exit-wrmsr", "WRMSR to the TSC exits", exit_as_told,
		EXIT_ROW(code_wrmsr, 0, 0, REASON_WRMSR, 0, 2)},
	{"exit-host-msrs", "MSRs that are the host's exit, those of speculation among them",
		exit_host_msrs, NULL},
	{"exit-ept-read", "a read of memory that is not there exits with its address", exit_ept,
		EXIT_ROW(code_read, 0, 0, REASON_EPT_VIOLATION, 1, NO_LENGTH)},
	{"exit-ept-write", "a write to memory that is not there exits with its address", exit_ept,
		EXIT_ROW(code_write, 0, 0, REASON_EPT_VIOLATION, 2, NO_LENGTH)},
	{"exit-ept-execute", "a jump to memory that is not there exits with its address", exit_ept,
		EXIT_ROW(code_execute, 0, 0, REASON_EPT_VIOLATION, 4, NO_LENGTH)},
	{"exit-cr0", "the guest cannot set CR0.CD without the VMM", exit_as_told,
		EXIT_ROW(code_cr0, 0, 0, REASON_CONTROL_REGISTER, 0, 3)},
	{"exit-lmsw", "LMSW exits if it changes a bit of the monitor's", exit_status_word,
		EXIT_ROW(code_lmsw, 0, 0, 0, 4ul << 16 | 3 << 4, 3)},
	{"exit-smsw", "SMSW reads the shadow, with VT-x without an exit", exit_status_word,
		EXIT_ROW(code_smsw, 0, 0, 0, 0, 3)},
	{"exit-clts", "CLTS exits if TS is the monitor's", exit_status_word,
		EXIT_ROW(code_clts, 0, 0, 0, 2 << 4, 2)},
	{"exit-cr3", "MOV to CR3 exits when asked to", exit_as_told,
		EXIT_ROW(code_cr3, PRIMARY_CR3_LOAD, 0, REASON_CONTROL_REGISTER, 3, 3)},
	{"exit-cr4", "the guest cannot switch protection keys on without the VMM", exit_cr4, NULL},
	{"exit-cr8", "MOV to CR8 exits: the host's task priority is out of reach", exit_as_told,
		EXIT_ROW(code_cr8, 0, 0, REASON_CONTROL_REGISTER, 8, 4)},
	{"exit-xsetbv", "XSETBV exits", exit_as_told,
		EXIT_ROW(code_xsetbv, 0, 0, REASON_XSETBV, 0, 3)},
	{"exit-vmcall", "VMCALL exits", exit_as_told,
		EXIT_ROW(code_vmcall, 0, 0, REASON_VMCALL, 0, 3)},
	{"exit-vmxon", "VMXON in the guest exits", exit_as_told,
		EXIT_ROW(code_vmxon, 0, 0, REASON_VMXON, 0, 4)},
	{"exit-vmptrld", "VMPTRLD in the guest exits", exit_as_told,
		EXIT_ROW(code_vmptrld, 0, 0, REASON_VMPTRLD, 0, 3)},
	{"exit-svm", "the instructions of AMD-V exit", exit_svm, NULL},
	{"exit-rdtsc", "RDTSC exits when asked to", exit_as_told,
		EXIT_ROW(code_rdtsc, PRIMARY_RDTSC, 0, REASON_RDTSC, 0, 2)},
	{"exit-rdpmc", "RDPMC exits when asked to", exit_as_told,
		EXIT_ROW(code_rdpmc, PRIMARY_RDPMC, 0, REASON_RDPMC, 0, 2)},
	{"exit-invlpg", "INVLPG exits with its address when asked to", exit_as_told,
		EXIT_ROW(code_invlpg, PRIMARY_INVLPG, 0, REASON_INVLPG, 0x1234000, 3)},
	{"exit-debug-register", "MOV from DR3 exits when asked to", exit_as_told,
		EXIT_ROW(code_debug_register, PRIMARY_MOV_DR, 0, REASON_DEBUG_REGISTER, 3 | 1 << 4,
			3)},
	{"exit-invd", "INVD exits", exit_as_told, EXIT_ROW(code_invd, 0, 0, REASON_INVD, 0, 2)},
	{"exit-wbinvd", "WBINVD exits", exit_as_told,
		EXIT_ROW(code_wbinvd, 0, 0, REASON_WBINVD, 0, 2)},
	{"exit-rsm", "RSM exits with AMD-V, and is undefined with VT-x", exit_rsm, NULL},
	{"exit-sgdt", "SGDT exits when asked to", exit_as_told,
		EXIT_ROW(code_sgdt, 0, SECONDARY_DESCRIPTOR_TABLE, REASON_GDTR_IDTR, 0, 3)},
	{"exit-triple-fault", "a triple fault exits and has no other effect", exit_as_told,
		EXIT_ROW(code_triple_fault, 0, 0, REASON_TRIPLE_FAULT, 0, NO_LENGTH)},
	{"exit-exception", "an exception of the bitmap exits, others reach the guest's handler",
		exit_exception, NULL},
	{"exit-real-mode", "a real-mode guest runs", exit_real_mode, NULL},
};

TEST_FILE(test_exits);
