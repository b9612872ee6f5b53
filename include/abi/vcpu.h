// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU interface: exit record and Nacre's fields (VCPU-5; extensions:
// docs/abi-extensions.md).
#pragma once

enum vm_enter_result {
	VM_ENTER_NOTIFICATION = 0,
	VM_ENTER_FAULT = 1,
};

enum {
	VM_EXIT_WORDS = 25,
	VCPU_REGISTERS = 15, // eax ebx ecx edx esi edi ebp r8..r15
};

// Fields of ReadVMCS and WriteVMCS that no VMCS has (Nacre extension), numbered behind the
// encodings of those that it has.
enum vcpu_field {
	VCPU_FIELD_CR2 = 0x16000,
	VCPU_FIELD_DR0 = 0x16002,
	VCPU_FIELD_DR1 = 0x16004,
	VCPU_FIELD_DR2 = 0x16006,
	VCPU_FIELD_DR3 = 0x16008,
	VCPU_FIELD_DR6 = 0x1600a,
	VCPU_FIELD_XCR0 = 0x1600c,
	VCPU_FIELD_XCR0_OFFERED = 0x1600e, // read only: the bits the kernel can switch
	VCPU_FIELD_TIMER = 0x16010, // TSC ticks until reason 52, counted from each run; 0: never
	VCPU_FIELD_KERNEL_GS_BASE = 0x16012,
	VCPU_FIELD_STAR = 0x16014,
	VCPU_FIELD_LSTAR = 0x16016,
	VCPU_FIELD_CSTAR = 0x16018,
	VCPU_FIELD_FMASK = 0x1601a,
	VCPU_FIELD_TSC_AUX = 0x1601c,
	VCPU_FIELD_SPEC_CTRL = 0x1601e,
};

// Access word of VCPU_SetMSRAccess (Nacre extension, label 0x1000).
enum {
	VCPU_MSR_READ = 1 << 0, // RDMSR without exit
	VCPU_MSR_WRITE = 1 << 1, // WRMSR without exit
};
