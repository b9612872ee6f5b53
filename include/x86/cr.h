// SPDX-License-Identifier: BSD-2-Clause
// Bits of control, flags, debug and extended registers by the manual's names (SDM 3A, chapter 2;
// SDM 1, 3.4.3 and 13.3; SDM 3B, 18.2).
#pragma once

#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_ET (1ul << 4)
#define CR0_NE (1ul << 5)
#define CR0_WP (1ul << 16)
#define CR0_AM (1ul << 18)
#define CR0_NW (1ul << 29)
#define CR0_CD (1ul << 30)
#define CR0_PG (1ul << 31)

#define CR3_KEEP (1ul << 63) // with PCIDs: what the CPU remembers of the new space stays

#define CR4_DE (1ul << 3)
#define CR4_PSE (1ul << 4)
#define CR4_PAE (1ul << 5)
#define CR4_MCE (1ul << 6)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP (1ul << 11)
#define CR4_VMXE (1ul << 13)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_PCIDE (1ul << 17)
#define CR4_OSXSAVE (1ul << 18)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

#define EFER_SCE (1ul << 0)
#define EFER_LME (1ul << 8)
#define EFER_LMA (1ul << 10)
#define EFER_NXE (1ul << 11)
#define EFER_SVME (1ul << 12)
#define EFER_AIBRSE (1ul << 21) // AMD: automatic IBRS

enum flags_bit {
	FLAGS_CF = 1 << 0,
	FLAGS_FIXED = 1 << 1,
	FLAGS_PF = 1 << 2,
	FLAGS_AF = 1 << 4,
	FLAGS_ZF = 1 << 6,
	FLAGS_SF = 1 << 7,
	FLAGS_TF = 1 << 8,
	FLAGS_IF = 1 << 9,
	FLAGS_DF = 1 << 10,
	FLAGS_OF = 1 << 11,
	FLAGS_NT = 1 << 14,
	FLAGS_RF = 1 << 16,
	FLAGS_VM = 1 << 17,
	FLAGS_AC = 1 << 18,
	FLAGS_ARITHMETIC = FLAGS_CF | FLAGS_PF | FLAGS_AF | FLAGS_ZF | FLAGS_SF | FLAGS_OF,
};

enum debug_bit {
	DR6_BREAKPOINTS = 15,
	DR6_CAUSES = DR6_BREAKPOINTS | 3 << 13, // and access to debug registers, single step
	DR7_FIXED = 1 << 10,
	DR7_GENERAL_DETECT = 1 << 13,
	DEBUGCTL_LBR = 1 << 0,
	DEBUGCTL_BTF = 1 << 1,
};

#define XCR0_X87 (1ul << 0)
#define XCR0_SSE (1ul << 1)
#define XCR0_AVX (1ul << 2)
#define XCR0_AVX512 (7ul << 5)

// What IA32_PAT is after power-on (SDM 3A, table 12-12).
#define PAT_RESET 0x0007040600070406ul
