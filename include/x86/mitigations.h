// SPDX-License-Identifier: BSD-2-Clause
// What CPUs say about their faults in speculation, and what they offer against them: CPUID (SDM 2A;
// APM 3, appendix E) and IA32_ARCH_CAPABILITIES (SDM 4).
#pragma once

enum leaf_1_ecx { VMX = 1 << 5 };
#define HYPERVISOR (1u << 31)

enum leaf_7 {
	AVX2 = 1 << 5, // EBX
	RTM = 1 << 11,
	MD_CLEAR = 1 << 10, // EDX
	IBRS_IBPB = 1 << 26,
	L1D_FLUSH = 1 << 28,
	BHI_CTRL = 1 << 4, // subleaf 2, EDX
};
#define SSBD (1u << 31) // EDX

enum amd_8_ebx {
	AMD_ERROR_POINTERS = 1 << 2, // XSAVE and XRSTOR always move them
	AMD_IBPB = 1 << 12,
	AMD_IBRS = 1 << 14,
	AMD_IBRS_ALWAYS_ON = 1 << 16,
	AMD_SSBD = 1 << 24,
};

enum amd_21 {
	AMD_LFENCE_SERIALISES = 1 << 2, // EAX
	AMD_VERW_CLEAR = 1 << 5,
	AMD_AUTOMATIC_IBRS = 1 << 8,
	AMD_TSA_NO = 3 << 1, // ECX: TSA_SQ_NO, TSA_L1_NO
};

enum capability {
	RDCL_NO = 1 << 0, // neither Meltdown nor L1TF
	IBRS_ALL = 1 << 1, // IBRS may stay on
	SKIP_L1DFL_VMENTRY = 1 << 3,
	MDS_NO = 1 << 5,
	PSCHANGE_MC_NO = 1 << 6,
	TAA_NO = 1 << 8,
	MMIO_NO = 7 << 13, // SBDR_SSDP_NO, FBSDP_NO, PSDP_NO
	FB_CLEAR = 1 << 17,
	BHI_NO = 1 << 20,
	PBRSB_NO = 1 << 24,
	GDS_CTRL = 1 << 25,
	GDS_NO = 1 << 26,
	RFDS_NO = 1 << 27,
	RFDS_CLEAR = 1 << 28,
};
#define ITS_NO (1ul << 62)
