// SPDX-License-Identifier: BSD-2-Clause
// Leaves of CPUID and bits of their words by the manuals' names (SDM 2A, CPUID; APM 3, appendix E;
// the hypervisor's leaves as VMware and KVM define them).
#pragma once

enum cpuid_leaf {
	LEAF_BASIC = 0x0,
	LEAF_FEATURES = 0x1,
	LEAF_CACHES = 0x4,
	LEAF_POWER = 0x6,
	LEAF_STRUCTURED = 0x7,
	LEAF_TOPOLOGY = 0xb,
	LEAF_XSAVE = 0xd,
	LEAF_TSC = 0x15,
	LEAF_FREQUENCY = 0x16,
	LEAF_HYPERVISOR = 0x40000000,
	LEAF_HYPERVISOR_FEATURES = 0x40000001,
	LEAF_HYPERVISOR_RATES = 0x40000010,
};
#define LEAF_EXTENDED 0x80000000u
#define LEAF_EXTENDED_FEATURES 0x80000001u
#define LEAF_POWER_MANAGEMENT 0x80000007u
#define LEAF_ADDRESS_SIZES 0x80000008u
#define LEAF_SVM 0x8000000au // AMD
#define LEAF_CACHE_PROPERTIES 0x8000001du // AMD
#define LEAF_EXTENDED_STRUCTURED 0x80000021u // AMD

#define LEAF_1_ECX_VMX (1u << 5)
#define LEAF_1_ECX_PCID (1u << 17)
#define LEAF_1_ECX_X2APIC (1u << 21)
#define LEAF_1_ECX_TSC_DEADLINE (1u << 24)
#define LEAF_1_ECX_XSAVE (1u << 26)
#define LEAF_1_ECX_OSXSAVE (1u << 27)
#define LEAF_1_ECX_HYPERVISOR (1u << 31)
#define LEAF_1_EDX_APIC (1u << 9)

#define LEAF_7_EBX_FSGSBASE (1u << 0)
#define LEAF_7_EBX_TSC_ADJUST (1u << 1)
#define LEAF_7_EBX_AVX2 (1u << 5)
#define LEAF_7_EBX_SMEP (1u << 7)
#define LEAF_7_EBX_INVPCID (1u << 10)
#define LEAF_7_EBX_RTM (1u << 11)
#define LEAF_7_EBX_SMAP (1u << 20)
#define LEAF_7_ECX_UMIP (1u << 2)
#define LEAF_7_ECX_RDPID (1u << 22)
#define LEAF_7_EDX_MD_CLEAR (1u << 10)
#define LEAF_7_EDX_IBRS_IBPB (1u << 26)
#define LEAF_7_EDX_STIBP (1u << 27)
#define LEAF_7_EDX_L1D_FLUSH (1u << 28)
#define LEAF_7_EDX_CAPABILITIES (1u << 29) // IA32_ARCH_CAPABILITIES exists
#define LEAF_7_EDX_SSBD (1u << 31)
#define LEAF_7_2_EDX_BHI_CTRL (1u << 4) // of subleaf 2

#define EXTENDED_ECX_SVM (1u << 2)
#define EXTENDED_EDX_RDTSCP (1u << 27)

// AMD, 8000_0008h and 8000_0021h.
#define AMD_8_EBX_ERROR_POINTERS (1u << 2) // XSAVE and XRSTOR always move them
#define AMD_8_EBX_IBPB (1u << 12)
#define AMD_8_EBX_IBRS (1u << 14)
#define AMD_8_EBX_STIBP (1u << 15)
#define AMD_8_EBX_IBRS_ALWAYS_ON (1u << 16)
#define AMD_8_EBX_SSBD (1u << 24)
#define AMD_21_EAX_LFENCE_SERIALISES (1u << 2)
#define AMD_21_EAX_VERW_CLEAR (1u << 5)
#define AMD_21_EAX_AUTOMATIC_IBRS (1u << 8)
#define AMD_21_ECX_TSA_NO (3u << 1) // TSA_SQ_NO, TSA_L1_NO
