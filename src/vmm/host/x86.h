// SPDX-License-Identifier: BSD-2-Clause
// Architectural names of the guest's CPU: registers, control bits, exception vectors, MSR numbers.
#pragma once

#include <stdint.h>

// General registers in the order of instruction encoding.
enum x86_register {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R15 = 15,
	X86_REGISTERS = 16,
};

enum x86_rflags {
	RFLAGS_CARRY = 1 << 0,
	RFLAGS_FIXED = 1 << 1,
	RFLAGS_PARITY = 1 << 2,
	RFLAGS_ADJUST = 1 << 4,
	RFLAGS_ZERO = 1 << 6,
	RFLAGS_SIGN = 1 << 7,
	RFLAGS_TRAP = 1 << 8,
	RFLAGS_INTERRUPT = 1 << 9,
	RFLAGS_DIRECTION = 1 << 10,
	RFLAGS_OVERFLOW = 1 << 11,
	RFLAGS_RESUME = 1 << 16,
	RFLAGS_ACCESS = 1 << 18, // alignment check, and SMAP's way round
	RFLAGS_ARITHMETIC = RFLAGS_CARRY | RFLAGS_PARITY | RFLAGS_ADJUST | RFLAGS_ZERO |
		RFLAGS_SIGN | RFLAGS_OVERFLOW,
};

#define CR0_PE (1u << 0)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)

#define CR4_DE (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_UMIP (1u << 11)
#define CR4_VMXE (1u << 13)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
// VME, PVI, TSD, DE, PSE, PAE, PGE, PCE, OSFXSR, OSXMMEXCPT: every 64-bit CPU has them.
#define CR4_BASELINE 0x7bfu

#define DR7_ENABLED 0xffu
#define DEBUGCTL_BRANCH_STEP (1u << 1)

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

#define XCR0_X87 (1u << 0)
#define XCR0_SSE (1u << 1)
#define XCR0_AVX (1u << 2)
#define XCR0_AVX512 (7u << 5)

enum x86_exception {
	EXCEPTION_DEBUG = 1,
	EXCEPTION_INVALID_OPCODE = 6,
	EXCEPTION_STACK = 12,
	EXCEPTION_GENERAL_PROTECTION = 13,
	EXCEPTION_PAGE_FAULT = 14,
	EXCEPTION_ALIGNMENT = 17,
	EXCEPTION_MACHINE_CHECK = 18,
};

enum x86_page_fault {
	PAGE_FAULT_PRESENT = 1 << 0,
	PAGE_FAULT_WRITE = 1 << 1,
	PAGE_FAULT_USER = 1 << 2,
	PAGE_FAULT_RESERVED = 1 << 3,
	PAGE_FAULT_FETCH = 1 << 4,
};

enum x86_msr {
	MSR_P5_MC_ADDRESS = 0x00,
	MSR_P5_MC_TYPE = 0x01,
	MSR_TSC = 0x10,
	MSR_PLATFORM_ID = 0x17,
	MSR_APIC_BASE = 0x1b,
	MSR_FEATURE_CONTROL = 0x3a,
	MSR_TSC_ADJUST = 0x3b,
	MSR_MICROCODE_UPDATE = 0x79,
	MSR_MICROCODE_REVISION = 0x8b,
	MSR_MTRR_CAPABILITY = 0xfe,
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_MCG_CAPABILITY = 0x179,
	MSR_MCG_STATUS = 0x17a,
	MSR_MISC_ENABLE = 0x1a0,
	MSR_DEBUGCTL = 0x1d9,
	MSR_PAT = 0x277,
	MSR_MTRR_DEFAULT_TYPE = 0x2ff,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC_FIRST = 0x800,
	MSR_X2APIC_LAST = 0x8ff,
};
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_FMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u

// The power-on value of IA32_PAT, SDM 3A, table 12-12.
#define PAT_RESET 0x0007040600070406ull
