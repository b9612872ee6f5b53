// SPDX-License-Identifier: BSD-2-Clause
// Tests: VCPU operations, on a processor that has VT-x or AMD-V (VCPU-12 to VCPU-25); running
// guests is for tests/guests.
#include "world.h"

#include <x86/cpuid.h>
#include <x86/instructions.h>
#include <x86/msr.h>
#include <x86/vmx.h>

enum {
	VCPU_REGISTER_WORDS = 15,
};

static bool has_vmx(void) { return cpuid(LEAF_FEATURES, 0).ecx & LEAF_1_ECX_VMX; }

static uint64_t vcpu_new(void) {
	uint64_t slot = slot_take();
	struct message answer = retype_one(world.arena, OBJECT_VCPU, 0, slot);

	if (answer.label == ERROR_ILLEGAL_OPERATION)
		test_skip("this processor has neither VT-x nor AMD-V");
	check_ok(HERE, &answer);
	return slot;
}

static void fields(void) {
	uint64_t vcpu = vcpu_new();
	struct message answer = invoke(
		vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(VMCS_GUEST_RIP, 0x1234567));

	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	CHECK_EQUAL(answer.words[0], 0x1234567);
	answer = invoke(vcpu, LABEL_VCPU_READ_VMCS, CAPS(), WORDS(VMCS_GUEST_RIP));
	CHECK_EQUAL(answer.length, 1);
	CHECK_EQUAL(answer.words[0], 0x1234567);
	// Forced bits come back: external interrupts, NMI, virtual NMI.
	answer = invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(VMCS_PIN_CONTROLS, 0));
	CHECK_EQUAL(answer.words[0] & 0x29, 0x29);
	answer = invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(VMCS_GUEST_CR0, 0));
	CHECK_EQUAL(answer.words[0] & 0x20, has_vmx() ? 0x20 : 0);
}

static void field_errors(void) {
	uint64_t vcpu = vcpu_new();

	CHECK_ERROR(invoke(vcpu, 0, CAPS(), WORDS(VMCS_GUEST_RIP)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_READ_VMCS, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_READ_VMCS, CAPS(), WORDS(VMCS_EXIT_REASON)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_READ_VMCS, CAPS(), WORDS(VMCS_HOST_RIP)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(VMCS_GUEST_RIP)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(VMCS_HOST_RIP, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		invoke(vcpu, LABEL_VCPU_WRITE_VMCS, CAPS(), WORDS(1ul << 32 | VMCS_GUEST_RIP, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void msrs(void) {
	uint64_t vcpu = vcpu_new();
	struct message answer = invoke(
		vcpu, LABEL_VCPU_WRITE_MSR, CAPS(), WORDS(MSR_LSTAR, 0x7777));

	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 0);
	answer = invoke(vcpu, LABEL_VCPU_READ_MSR, CAPS(), WORDS(MSR_LSTAR));
	CHECK_EQUAL(answer.label, ERROR_NONE);
	CHECK_EQUAL(answer.words[0], 0x7777);
	answer = invoke(vcpu, LABEL_VCPU_READ_MSR, CAPS(), WORDS(MSR_VMX_MISC));
	CHECK_EQUAL(answer.label, has_vmx() ? ERROR_NONE : ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_READ_MSR, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_READ_MSR, CAPS(), WORDS(MSR_EFER)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_WRITE_MSR, CAPS(), WORDS(MSR_LSTAR)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_WRITE_MSR, CAPS(), WORDS(MSR_VMX_MISC, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void partners(void) {
	uint64_t vcpu = vcpu_new();
	uint64_t other = vcpu_new();
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(), WORDS()), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(ROOT_SLOT_CNODE), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(tcb), WORDS()));
	CHECK_OK(invoke(vcpu, LABEL_VCPU_SET_TCB, CAPS(object_new(OBJECT_TCB, 0)), WORDS()));
	CHECK_OK(invoke(other, LABEL_VCPU_SET_TCB, CAPS(tcb), WORDS()));
	CHECK_OK(cap_delete(tcb));
	CHECK_OK(cap_delete(vcpu));
}

static void ports(void) {
	uint64_t vcpu = vcpu_new();
	uint64_t range = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(0x2000, 0x20ff, range, DEPTH)));
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(range), WORDS(0x2000)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(), WORDS(0x2000, 0x2000)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(
		invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(ROOT_SLOT_TCB), WORDS(0x2000, 0x2000)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(range), WORDS(0x1fff, 0x2000)),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(range), WORDS(0x2000, 0x2100)),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_ENABLE_IO_PORT, CAPS(range), WORDS(0x2000, 0x20ff)));
	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_DISABLE_IO_PORT, CAPS(), WORDS(0x2000)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_DISABLE_IO_PORT, CAPS(), WORDS(0x2000, 0x20ff)));
	CHECK_OK(cap_delete(range));
}

static void registers(void) {
	static const uint64_t words[VCPU_REGISTER_WORDS];
	uint64_t vcpu = vcpu_new();

	CHECK_ERROR(invoke(vcpu, LABEL_VCPU_WRITE_REGISTERS, CAPS(),
			    (struct words){VCPU_REGISTER_WORDS - 1, words}),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_OK(invoke(vcpu, LABEL_VCPU_WRITE_REGISTERS, CAPS(),
		(struct words){VCPU_REGISTER_WORDS, words}));
}

static const struct test tests[] = {
	{"vcpu-fields", "VMCS fields are written through their filter and read back", fields,
		"X86VCPUReadVMCS/0 X86VCPUWriteVMCS/0"},
	{"vcpu-field-errors", "fields that are not listed are refused", field_errors,
		"X86VCPUReadVMCS/1 X86VCPUReadVMCS/2 X86VCPUWriteVMCS/1 X86VCPUWriteVMCS/2"},
	{"vcpu-msrs", "the system call MSRs of a guest are written and read", msrs,
		"X86VCPUReadMSR/0 X86VCPUReadMSR/1 X86VCPUReadMSR/2 X86VCPUWriteMSR/0 "
		"X86VCPUWriteMSR/1 X86VCPUWriteMSR/2"},
	{"vcpu-thread", "a VCPU and a thread have one partner each", partners,
		"X86VCPUSetTCB/0 X86VCPUSetTCB/1 X86VCPUSetTCB/2"},
	{"vcpu-ports", "ports are enabled within their capability", ports,
		"X86VCPUEnableIOPort/0 X86VCPUEnableIOPort/1 X86VCPUEnableIOPort/2 "
		"X86VCPUEnableIOPort/3 X86VCPUDisableIOPort/0 X86VCPUDisableIOPort/1"},
	{"vcpu-registers", "all fifteen registers are written at once", registers,
		"X86VCPUWriteRegisters/0 X86VCPUWriteRegisters/1"},
};

TEST_FILE(vcpu);
