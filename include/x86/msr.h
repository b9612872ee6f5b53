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
	MSR_PAT = 0x277,
	MSR_MTRR_DEFAULT_TYPE = 0x2ff,
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
#define MSR_DE_CFG 0xc0011029u // AMD

enum feature_control_bit {
	FEATURE_CONTROL_LOCKED = 1 << 0,
	FEATURE_CONTROL_VMX = 1 << 2, // outside SMX
};

enum pred_cmd_bit { PRED_CMD_IBPB = 1 << 0 };

enum flush_cmd_bit { FLUSH_CMD_L1D = 1 << 0 };

enum misc_enable_bit { MISC_ENABLE_LIMIT_CPUID = 1 << 22 };

enum de_cfg_bit { DE_CFG_LFENCE_SERIALISES = 1 << 1, DE_CFG_ZENBLEED = 1 << 9 };
