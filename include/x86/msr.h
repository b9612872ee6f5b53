// SPDX-License-Identifier: BSD-2-Clause
// Model-specific registers by the manuals' names (SDM 4, chapter 2; APM 2, appendix A), and bits of
// those that have few. VT-x's capabilities: vmx.h.
#pragma once

enum msr {
	MSR_P5_MC_ADDRESS = 0x00,
	MSR_P5_MC_TYPE = 0x01,
	MSR_TSC = 0x10,
	MSR_PLATFORM_ID = 0x17, // Intel
	MSR_APIC_BASE = 0x1b,
	MSR_FEATURE_CONTROL = 0x3a, // Intel
	MSR_TSC_ADJUST = 0x3b,
	MSR_SPEC_CTRL = 0x48,
	MSR_PRED_CMD = 0x49,
	MSR_MICROCODE_UPDATE = 0x79, // Intel
	MSR_MICROCODE = 0x8b,
	MSR_MTRR_CAPABILITY = 0xfe,
	MSR_ARCH_CAPABILITIES = 0x10a,
	MSR_FLUSH_CMD = 0x10b,
	MSR_MCU_OPT_CTRL = 0x123, // Intel
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_MCG_CAP = 0x179,
	MSR_MCG_STATUS = 0x17a,
	MSR_MCG_CTL = 0x17b,
	MSR_MISC_ENABLE = 0x1a0, // Intel
	MSR_DEBUGCTL = 0x1d9,
	MSR_LAST_BRANCH = 0x1db, // and three more
	MSR_MTRR_FIRST = 0x200,
	MSR_PAT = 0x277,
	MSR_MTRR_DEFAULT_TYPE = 0x2ff,
	MSR_MC_CTL = 0x400, // four a bank
	MSR_MC_STATUS,
	MSR_MC_ADDR,
	MSR_MC_MISC,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC = 0x800, // register at offset 16 * n of the xAPIC page is MSR_X2APIC + n
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
#define MSR_SYSCFG 0xc0010010u // AMD, as those that follow
#define MSR_HWCR 0xc0010015u
#define MSR_TOP_MEM 0xc001001au
#define MSR_TOP_MEM2 0xc001001du
#define MSR_VIRT_SPEC_CTRL 0xc001011fu
#define MSR_DE_CFG 0xc0011029u

// Of a hypervisor: KVM's, with an address each.
#define MSR_KVM_WALL_CLOCK 0x4b564d00u
#define MSR_KVM_SYSTEM_TIME 0x4b564d01u
#define MSR_KVM_END_OF_INTERRUPT 0x4b564d04u

enum feature_control_bit {
	FEATURE_CONTROL_LOCKED = 1 << 0,
	FEATURE_CONTROL_VMX = 1 << 2, // outside SMX
};

// Both makers' maps of MSRs that a guest may touch have so many from 0 on, and from here on.
#define MSR_MAP_HIGH 0xc0000000u
#define MSR_MAP_MSRS 0x2000u

enum spec_ctrl_bit {
	SPEC_CTRL_IBRS = 1 << 0,
	SPEC_CTRL_STIBP = 1 << 1,
	SPEC_CTRL_SSBD = 1 << 2,
	SPEC_CTRL_BHI_DIS_S = 1 << 10,
};

enum pred_cmd_bit { PRED_CMD_IBPB = 1 << 0 };

enum flush_cmd_bit { FLUSH_CMD_L1D = 1 << 0 };

enum arch_capabilities_bit {
	ARCH_RDCL_NO = 1 << 0, // neither Meltdown nor L1TF
	ARCH_IBRS_ALL = 1 << 1, // IBRS may stay on
	ARCH_SKIP_L1DFL_VMENTRY = 1 << 3,
	ARCH_MDS_NO = 1 << 5,
	ARCH_PSCHANGE_MC_NO = 1 << 6,
	ARCH_TAA_NO = 1 << 8,
	ARCH_MMIO_NO = 7 << 13, // SBDR_SSDP_NO, FBSDP_NO, PSDP_NO
	ARCH_FB_CLEAR = 1 << 17,
	ARCH_BHI_NO = 1 << 20,
	ARCH_PBRSB_NO = 1 << 24,
	ARCH_GDS_CTRL = 1 << 25,
	ARCH_GDS_NO = 1 << 26,
	ARCH_RFDS_NO = 1 << 27,
	ARCH_RFDS_CLEAR = 1 << 28,
};
#define ARCH_ITS_NO (1ul << 62)

enum mcu_opt_ctrl_bit { MCU_OPT_GDS_OFF = 1 << 4 };

enum mcg_cap_bit { MCG_CAP_COUNT = 0x1f, MCG_CAP_CTL = 1 << 8 };

#define MC_STATUS_VALID (1ul << 63)

enum misc_enable_bit { MISC_ENABLE_LIMIT_CPUID = 1 << 22 };

enum hwcr_bit { HWCR_TSC_AT_FULL_RATE = 1 << 24 };

enum de_cfg_bit { DE_CFG_LFENCE_SERIALISES = 1 << 1, DE_CFG_ZENBLEED = 1 << 9 };
