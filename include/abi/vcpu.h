// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU interface: exit record and Nacre's extended state (VCPU-5; extensions:
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

// Fields of VCPU_ReadState and VCPU_WriteState (Nacre extension, labels 0x1000 and 0x1001).
enum vcpu_state_field {
	VCPU_STATE_CR2 = 0,
	VCPU_STATE_DR0 = 1,
	VCPU_STATE_DR1 = 2,
	VCPU_STATE_DR2 = 3,
	VCPU_STATE_DR3 = 4,
	VCPU_STATE_DR6 = 5,
	VCPU_STATE_TSC_OFFSET = 6, // guest TSC = host TSC + offset
	VCPU_STATE_XCR0 = 7,
	VCPU_STATE_ENTRY_INSTRUCTION_LENGTH = 8,
	VCPU_STATE_XCR0_ALLOWED = 9, // read only: the bits the kernel can switch
	VCPU_STATE_STAR = 16,
	VCPU_STATE_LSTAR = 17,
	VCPU_STATE_CSTAR = 18,
	VCPU_STATE_FMASK = 19,
	VCPU_STATE_KERNEL_GS_BASE = 20,
	VCPU_STATE_TSC_AUX = 21,
};

// Access word of VCPU_SetMSRAccess (Nacre extension, label 0x1002).
enum {
	VCPU_MSR_READ = 1 << 0, // RDMSR without exit
	VCPU_MSR_WRITE = 1 << 1, // WRMSR without exit
};
