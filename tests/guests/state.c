// SPDX-License-Identifier: BSD-2-Clause
// State outside the VMCS: each guest has its own, and the VMM's is preserved.
#include "guest.h"

#include <x86/msr.h>
#include "test.h"

CODE_DECLARE(code_cr2);
CODE_DECLARE(code_debug_registers);
CODE_DECLARE(code_sse);
CODE_DECLARE(code_avx);
CODE_DECLARE(code_vector_avx);
CODE_DECLARE(code_vector_avx512);
CODE_DECLARE(code_swapgs);
CODE_DECLARE(code_own_msr);
CODE_DECLARE(code_guest_tsc);
CODE_DECLARE(code_msr_write);
CODE_DECLARE(code_vmcall);

enum {
	REGISTER_RCX = 2,
	REGISTER_RDX = 3,
	REGISTER_RSI = 4,
	REGISTER_RDI = 5,
	REGISTER_R8 = 7,
	XCR0_X87_SSE_AVX = 7,
	XCR0_AVX512 = 0xe7,
	SWITCHES = 3000,
};

static const uint64_t pattern_one = 0x0123456789abcdef;
static const uint64_t pattern_two = 0x7edcba9876543210;

static void start(struct guest *guest, const struct code *code, uint64_t rbx) {
	guest_reset(guest, code);
	guest->registers.ebx = rbx;
	guest_set_registers(guest);
}

// Binds the guest to this thread without touching anything else of it.
static void choose(const struct guest *guest) {
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest->vcpu, seL4_CapInitThreadTCB), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(seL4_CapInitThreadTCB, guest->space.root), 0);
}

static void step(struct guest *guest) {
	choose(guest);
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_FAULT);
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_VMCALL);
	guest_skip(guest);
}

// Both guests set a state to their pattern, then both look.
static void run_both(const struct code *code, uint64_t one, uint64_t two) {
	start(&guest_two, code, two);
	start(&guest_one, code, one);
	step(&guest_one);
	step(&guest_two);
	step(&guest_one);
	step(&guest_two);
}

static void state_cr2(const struct test *) {
	run_both(CODE(code_cr2), pattern_one, pattern_two);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RCX), pattern_one);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RCX), pattern_two);
	CHECK_EQUAL(field_read(&guest_one, VCPU_FIELD_CR2), pattern_one);
}

static void state_debug(const struct test *) {
	run_both(CODE(code_debug_registers), pattern_one, pattern_two);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQUAL(guest_register(&guest_one, REGISTER_R8 + i), pattern_one + i);
		CHECK_EQUAL(guest_register(&guest_two, REGISTER_R8 + i), pattern_two + i);
		CHECK_EQUAL(field_read(&guest_one, VCPU_FIELD_DR0 + 2 * i), pattern_one + i);
	}
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_R8 + 4), 0xffff0ff1);
	CHECK_EQUAL(field_read(&guest_two, VCPU_FIELD_DR6), 0xffff0ff1);
	// What the VMM writes is what the guest reads.
	field_write(&guest_two, VCPU_FIELD_DR2, 0x1234);
	CHECK_EQUAL(field_read(&guest_two, VCPU_FIELD_DR2), 0x1234);
}

static void state_sse(const struct test *) {
	const uint64_t native = 0x5a5a5a5a5a5a5a5a;

	native_fill(native);
	run_both(CODE(code_sse), pattern_one, pattern_two);
	CHECK_EQUAL(native_differing(native), 0);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RCX), pattern_one);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RDX), pattern_one);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RCX), pattern_two);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RDX), pattern_two);
}

static void state_avx(const struct test *) {
	uint64_t allowed = field_read(&guest_one, VCPU_FIELD_XCR0_OFFERED);

	CHECK_EQUAL(allowed & 3, 3);
	if ((allowed & XCR0_X87_SSE_AVX) != XCR0_X87_SSE_AVX) {
		test_skip("this CPU has no AVX");
		return;
	}
	start(&guest_two, CODE(code_avx), pattern_two);
	start(&guest_one, CODE(code_avx), pattern_one);
	field_write(&guest_one, VCPU_FIELD_XCR0, XCR0_X87_SSE_AVX);
	field_write(&guest_two, VCPU_FIELD_XCR0, allowed);
	step(&guest_one);
	step(&guest_two);
	step(&guest_one);
	step(&guest_two);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RCX), pattern_one);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RCX), pattern_two);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RSI), XCR0_X87_SSE_AVX);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RSI), allowed);
}

// One guest with AVX, one with all that the CPU has, and this program's own registers, by turns.
static void state_vectors(const struct test *) {
	const uint64_t native = 0x5a5a5a5a5a5a5a5a;
	uint64_t allowed = field_read(&guest_one, VCPU_FIELD_XCR0_OFFERED);

	if (allowed != XCR0_AVX512) {
		test_skip("this CPU has no AVX-512");
		return;
	}
	start(&guest_two, CODE(code_vector_avx512), pattern_two);
	start(&guest_one, CODE(code_vector_avx), pattern_one);
	field_write(&guest_one, VCPU_FIELD_XCR0, XCR0_X87_SSE_AVX);
	field_write(&guest_two, VCPU_FIELD_XCR0, allowed);
	native_fill(native);
	for (unsigned i = 0; i < SWITCHES / 2; i++) {
		step(&guest_one);
		step(&guest_two);
	}
	CHECK_EQUAL(native_differing(native), 0);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RCX), 0);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RCX), 0);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RDX), SWITCHES / 2 - 1);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RDX), SWITCHES / 2 - 1);
}

// With XCR0 as after reset the guest gets #UD for AVX.
static void state_xcr0_reset(const struct test *) {
	start(&guest_one, CODE(code_avx), pattern_one);
	choose(&guest_one);
	guest_enter(&guest_one);
	CHECK_EQUAL(guest_one.words[WORD_REASON], REASON_VMCALL);
	CHECK_EQUAL(guest_register(&guest_one, 0), 0x106);
}

// Programs read their bases with instructions that not every CPU has.
static bool has_base_instructions(void) {
	bool has = cpuid(LEAF_STRUCTURED, 0).ebx & LEAF_7_EBX_FSGSBASE;

	if (!has) test_skip("this CPU has no FSGSBASE");
	return has;
}

static void state_swapgs(const struct test *) {
	const uint64_t one = 0x7fff12345000;
	const uint64_t two = 0xffff888012345000;
	const uint64_t native = 0x7ffe00001000;
	uint64_t read;

	if (!has_base_instructions()) return;
	CHECK_EQUAL(seL4_TCB_SetTLSBase(seL4_CapInitThreadTCB, native), 0);
	run_both(CODE(code_swapgs), one, two);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RDI), one);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RDI), two);
	asm volatile("rdfsbase %0" : "=r"(read));
	CHECK_EQUAL(read, native);
}

static void state_native_gs(const struct test *) {
	const uint64_t native = 0x7ffd00002000;
	uint64_t read;

	if (!has_base_instructions()) return;
	asm volatile("wrgsbase %0" : : "r"(native));
	start(&guest_one, CODE(code_swapgs), pattern_one & 0x7fffffffffff);
	step(&guest_one);
	asm volatile("rdgsbase %0" : "=r"(read));
	CHECK_EQUAL(read, native);
}

// An MSR opened to both guests; each keeps its value, and this program continues making system
// calls.
static void own_msr(uint64_t msr, uint64_t one, uint64_t two) {
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_one.vcpu, msr, 3), 0);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_two.vcpu, msr, 3), 0);
	start(&guest_two, CODE(code_own_msr), two);
	start(&guest_one, CODE(code_own_msr), one);
	guest_one.registers.ecx = msr;
	guest_two.registers.ecx = msr;
	guest_set_registers(&guest_one);
	guest_set_registers(&guest_two);
	step(&guest_one);
	step(&guest_two);
	step(&guest_one);
	step(&guest_two);
	CHECK_EQUAL(guest_register(&guest_one, REGISTER_RDI), one);
	CHECK_EQUAL(guest_register(&guest_two, REGISTER_RDI), two);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_one.vcpu, msr, 0), 0);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_two.vcpu, msr, 0), 0);
	start(&guest_one, CODE(code_own_msr), one);
	guest_one.registers.ecx = msr;
	guest_set_registers(&guest_one);
	choose(&guest_one);
	guest_enter(&guest_one);
	CHECK_EQUAL(guest_one.words[WORD_REASON], REASON_WRMSR);
}

static void state_lstar(const struct test *) {
	own_msr(MSR_LSTAR, 0xffffffff81000000, 0xffffffffa5a5a5a5);
	CHECK_EQUAL(seL4_X86_VCPU_ReadMSR(guest_two.vcpu, MSR_LSTAR).value, 0xffffffffa5a5a5a5);
}

static void state_fmask(const struct test *) { own_msr(MSR_FMASK, 0x47700, 0x200); }

static void state_efer(const struct test *) {
	if (!guest_is_svm) return own_msr(MSR_EFER, 0xd01, 0x501);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_one.vcpu, MSR_EFER, 3), seL4_InvalidArgument);
	test_skip("a guest would see AMD-V's own bit in EFER");
}

static void state_tsc_aux(const struct test *) {
	if (nacre_VCPU_SetMSRAccess(guest_one.vcpu, MSR_TSC_AUX, 0)) {
		test_skip("this CPU has no RDTSCP");
		return;
	}
	own_msr(MSR_TSC_AUX, 0x1234, 0xfedcba98);
}

// A CPU of AMD needs more for it than these bits.
static void state_speculation(const struct test *) {
	uint32_t bits = cpuid(LEAF_STRUCTURED, 0).edx;
	seL4_CPtr vcpu = guest_one.vcpu;
	bool has = !seL4_X86_VCPU_WriteVMCS(vcpu, VCPU_FIELD_SPEC_CTRL, SPEC_CTRL_SSBD).error;
	bool flushes = !nacre_VCPU_SetMSRAccess(vcpu, MSR_PRED_CMD, VCPU_MSR_WRITE);

	CHECK(guest_is_svm || has == ((bits & LEAF_7_EDX_SSBD) != 0));
	CHECK(guest_is_svm || flushes == ((bits & LEAF_7_EDX_IBRS_IBPB) != 0));
	start(&guest_one, CODE(code_msr_write), 0);
	guest_one.registers.ecx = MSR_PRED_CMD;
	guest_one.registers.eax = PRED_CMD_IBPB;
	guest_set_registers(&guest_one);
	guest_enter(&guest_one);
	CHECK_EQUAL(guest_one.words[WORD_REASON], flushes ? REASON_VMCALL : REASON_WRMSR);
	CHECK_EQUAL(field_read(&guest_one, VCPU_FIELD_SPEC_CTRL), has ? SPEC_CTRL_SSBD : 0);
	CHECK_EQUAL(field_read(&guest_two, VCPU_FIELD_SPEC_CTRL), 0);
	field_write(&guest_one, VCPU_FIELD_SPEC_CTRL, 0);
	if (flushes) CHECK_EQUAL(nacre_VCPU_SetMSRAccess(vcpu, MSR_PRED_CMD, 0), 0);
}

static void state_tsc_offset(const struct test *) {
	const uint64_t offset = 0x1000000000000;
	uint64_t before, after, guest;

	start(&guest_one, CODE(code_guest_tsc), 0);
	field_write(&guest_one, VMCS_TSC_OFFSET, offset);
	before = tsc_read();
	step(&guest_one);
	after = tsc_read();
	guest = guest_register(&guest_one, 0) - offset;
	CHECK(guest >= before && guest <= after);
	field_write(&guest_one, VMCS_TSC_OFFSET, 0);
}

static void state_msr_operations(const struct test *) {
	seL4_CPtr vcpu = guest_one.vcpu;

	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(vcpu, MSR_LSTAR, 0xffffffff80001000).written,
		0xffffffff80001000);
	CHECK_EQUAL(seL4_X86_VCPU_ReadMSR(vcpu, MSR_LSTAR).value, 0xffffffff80001000);
	// Neither a value that WRMSR refuses may reach it.
	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(vcpu, MSR_LSTAR, 0x8000000000000000).written, 0);
	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(vcpu, MSR_FMASK, 0x100000200).written, 0x200);
	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(vcpu, 0x10, 0).error, seL4_IllegalOperation);
	CHECK_EQUAL(seL4_X86_VCPU_ReadMSR(vcpu, 0x10).error, seL4_IllegalOperation);
	CHECK_EQUAL(seL4_X86_VCPU_ReadMSR(vcpu, MSR_VMX_MISC).error,
		guest_is_svm ? seL4_IllegalOperation : 0);
	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(vcpu, MSR_VMX_MISC, 0).error, seL4_IllegalOperation);
}

// Instructions from one system call to the next, in emulators that count them.
static uint64_t null_length(void) {
	struct sel4_registers registers = {0};
	uint64_t start = tsc_read();

	sel4_syscall(SYSCALL_NULL, &registers);
	return tsc_read() - start;
}

static void use_fast_paths(bool are_on) {
	struct sel4_registers registers = {.rdi = are_on};

	sel4_syscall(SYSCALL_DEBUG_FAST_PATHS, &registers);
}

// A guest that has its own LSTAR makes the kernel write LSTAR on exit.
static void state_fast_paths(const struct test *) {
	uint64_t slow, fast;

	start(&guest_one, CODE(code_vmcall), 0);
	CHECK_EQUAL(seL4_X86_VCPU_WriteMSR(guest_one.vcpu, MSR_LSTAR, 0x1000).error, 0);
	fast = null_length();
	use_fast_paths(false);
	slow = null_length();
	step(&guest_one);
	CHECK(null_length() > (fast + slow) / 2);
	use_fast_paths(true);
	guest_one.rip = GUEST_CODE;
	step(&guest_one);
	CHECK(null_length() < (fast + slow) / 2);
	CHECK(slow > fast);
}

static void state_refused(const struct test *) {
	static const struct {
		uint64_t field;
		uint64_t value;
	} rows[] = {
		{VCPU_FIELD_XCR0, 0},
		{VCPU_FIELD_XCR0, 2},
		{VCPU_FIELD_XCR0, 5},
		{VCPU_FIELD_XCR0, 1ul << 63 | 1},
		{VCPU_FIELD_XCR0, 0x27},
		{VCPU_FIELD_DR6, 1ul << 32},
		{VCPU_FIELD_LSTAR, 1ul << 63},
		{VCPU_FIELD_KERNEL_GS_BASE, 1ul << 47},
		{VCPU_FIELD_FMASK, 1ul << 32},
		{VCPU_FIELD_TSC_AUX, 1ul << 32},
		{VCPU_FIELD_SPEC_CTRL, 1ul << 32},
		{VMCS_ENTRY_INSTRUCTION_LENGTH, 16},
		{VCPU_FIELD_XCR0_OFFERED, 1},
	};
	static const uint64_t none[] = {VCPU_FIELD_CR2 - 2, VCPU_FIELD_CR2 + 1,
		VCPU_FIELD_SPEC_CTRL + 2, 1ul << 32 | VCPU_FIELD_CR2, ~0ul};
	struct sel4_invocation call = {.label = LABEL_VCPU_SET_MSR_ACCESS, .length = 1};

	for (unsigned i = 0; i < array_count(rows); i++) {
		uint64_t before = field_read(&guest_one, rows[i].field);

		CHECK_EQUAL(
			seL4_X86_VCPU_WriteVMCS(guest_one.vcpu, rows[i].field, rows[i].value).error,
			seL4_IllegalOperation);
		CHECK_EQUAL(field_read(&guest_one, rows[i].field), before);
	}
	for (unsigned i = 0; i < array_count(none); i++) {
		CHECK_EQUAL(seL4_X86_VCPU_WriteVMCS(guest_one.vcpu, none[i], 0).error,
			seL4_IllegalOperation);
		CHECK_EQUAL(seL4_X86_VCPU_ReadVMCS(guest_one.vcpu, none[i]).error,
			seL4_IllegalOperation);
	}
	CHECK_EQUAL(sel4_invoke(guest_one.vcpu, &call), seL4_TruncatedMessage);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_one.vcpu, 0x10, 3), seL4_InvalidArgument);
	CHECK_EQUAL(nacre_VCPU_SetMSRAccess(guest_one.vcpu, MSR_LSTAR, 4), seL4_InvalidArgument);
}

static const struct test tests[] = {
	{"state-cr2", "CR2 is each guest's own", state_cr2, NULL},
	{"state-debug", "DR0 to DR3 and DR6 are each guest's own", state_debug, NULL},
	{"state-sse", "SSE registers of two guests and the VMM stay apart", state_sse, NULL},
	{"state-avx", "AVX registers and XCR0 of two guests stay apart", state_avx, NULL},
	{"state-vectors", "AVX and AVX-512 registers survive 3000 switches", state_vectors, NULL},
	{"state-xcr0-reset", "XCR0 starts with x87 only", state_xcr0_reset, NULL},
	{"state-swapgs", "SWAPGS in guests does not leak, and the VMM keeps its FS base",
		state_swapgs, NULL},
	{"state-native-gs", "the VMM keeps its GS base", state_native_gs, NULL},
	{"state-lstar", "LSTAR opened to two guests is each one's own", state_lstar,
		"VCPUSetMSRAccess/0"},
	{"state-fmask", "FMASK opened to two guests is each one's own", state_fmask, NULL},
	{"state-efer", "EFER opened to two guests is each one's own", state_efer, NULL},
	{"state-tsc-aux", "TSC_AUX opened to two guests is each one's own", state_tsc_aux, NULL},
	{"state-speculation", "each guest has a SPEC_CTRL, and IBPB, if the CPU has",
		state_speculation, NULL},
	{"state-tsc-offset", "the guest's TSC is the host's plus the offset", state_tsc_offset,
		NULL},
	{"state-msr-operations", "ReadMSR and WriteMSR know the four SYSCALL registers",
		state_msr_operations, NULL},
	{"state-fast-paths", "a guest's exit keeps the system call entry that DebugFastPaths chose",
		state_fast_paths, NULL},
	{"state-refused", "values the CPU would refuse are refused before", state_refused,
		"X86VCPUWriteVMCS/3 VCPUSetMSRAccess/1 VCPUSetMSRAccess/2 VCPUSetMSRAccess/3"},
};

TEST_FILE(test_state);
