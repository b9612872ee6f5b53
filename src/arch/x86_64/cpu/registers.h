// SPDX-License-Identifier: BSD-2-Clause
// Control registers, MSRs and flags by the manual's names, and one function for each instruction
// that C cannot say (SDM 2, SDM 4).
#pragma once

#include <stdint.h>

enum cr0_bit {
	CR0_PE = 1 << 0,
	CR0_MP = 1 << 1,
	CR0_TS = 1 << 3,
	CR0_NE = 1 << 5,
	CR0_WP = 1 << 16,
	CR0_AM = 1 << 18,
};

#define CR3_KEEP (1ul << 63) // with PCIDs: what the CPU remembers of the new space stays

#define CR0_NW (1ul << 29)
#define CR0_CD (1ul << 30)
#define CR0_PG (1ul << 31)

enum cr4_bit {
	CR4_PAE = 1 << 5,
	CR4_MCE = 1 << 6,
	CR4_PGE = 1 << 7,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11,
	CR4_VMXE = 1 << 13,
	CR4_FSGSBASE = 1 << 16,
	CR4_PCIDE = 1 << 17,
	CR4_OSXSAVE = 1 << 18,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21,
};

enum efer_bit {
	EFER_SCE = 1 << 0,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	EFER_NXE = 1 << 11,
	EFER_AIBRSE = 1 << 21, // AMD: automatic IBRS
};

enum flags_bit {
	FLAGS_TF = 1 << 8,
	FLAGS_IF = 1 << 9,
	FLAGS_DF = 1 << 10,
	FLAGS_NT = 1 << 14,
	FLAGS_AC = 1 << 18,
};

// Debug registers (SDM 3B 18.2).
enum debug_bit {
	DR6_BREAKPOINTS = 15,
	DR6_CAUSES = DR6_BREAKPOINTS | 3 << 13, // and access to debug registers, single step
	DR7_FIXED = 1 << 10,
	DR7_GENERAL_DETECT = 1 << 13,
};

enum msr {
	MSR_APIC_BASE = 0x1b,
	MSR_SPEC_CTRL = 0x48,
	MSR_PRED_CMD = 0x49,
	MSR_MICROCODE = 0x8b,
	MSR_ARCH_CAPABILITIES = 0x10a,
	MSR_MCU_OPT_CTRL = 0x123, // Intel
	MSR_SYSENTER_CS = 0x174,
	MSR_MISC_ENABLE = 0x1a0, // Intel
	MSR_DEBUGCTL = 0x1d9,
	MSR_PAT = 0x277,
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
#define MSR_DE_CFG 0xc0011029u // AMD

enum misc_enable_bit { MISC_ENABLE_LIMIT_CPUID = 1 << 22 };

enum de_cfg_bit { DE_CFG_LFENCE_SERIALISES = 1 << 1, DE_CFG_ZENBLEED = 1 << 9 };

enum pred_cmd_bit { PRED_CMD_IBPB = 1 << 0 };

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
	struct cpuid regs;

	asm volatile("cpuid"
		     : "=a"(regs.eax), "=b"(regs.ebx), "=c"(regs.ecx), "=d"(regs.edx)
		     : "a"(leaf), "c"(subleaf));
	return regs;
}

static inline uint64_t msr_read(uint32_t msr) {
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value) {
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

#define CONTROL_REGISTER(name) \
	static inline uint64_t name##_read(void) { \
		uint64_t value; \
\
		asm volatile("mov %%" #name ", %0" : "=r"(value)); \
		return value; \
	} \
	static inline void name##_write(uint64_t value) { \
		asm volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
	}

CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr0)
CONTROL_REGISTER(dr1)
CONTROL_REGISTER(dr2)
CONTROL_REGISTER(dr3)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)
#undef CONTROL_REGISTER

static inline void xcr0_write(uint64_t value) {
	asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t tsc_read(void) {
	uint64_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high)); // clears the high halves (SDM 2B)
	return high << 32 | low;
}

// Neither before what stands before it nor after what stands behind it (SDM 2B, RDTSC).
static inline uint64_t tsc_read_ordered(void) {
	uint64_t low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return high << 32 | low;
}

#define PORT_ACCESS(bits, suffix) \
	static inline uint##bits##_t io_in##bits(uint16_t port) { \
		uint##bits##_t value; \
\
		asm volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port)); \
		return value; \
	} \
	static inline void io_out##bits(uint16_t port, uint##bits##_t value) { \
		asm volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port)); \
	}

PORT_ACCESS(8, "b")
PORT_ACCESS(16, "w")
PORT_ACCESS(32, "l")
#undef PORT_ACCESS

static inline void caches_flush(void) { asm volatile("wbinvd" : : : "memory"); }

static inline void tlb_invalidate_page(uint64_t address) {
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

// What INVPCID forgets (SDM 2A, INVPCID). The kernel's global pages stay in each case.
enum tlb_kind { TLB_ADDRESS = 0, TLB_SPACE = 1, TLB_ALL_SPACES = 3 };

static inline void tlb_invalidate(enum tlb_kind kind, uint64_t pcid, uint64_t address) {
	const uint64_t descriptor[2] = {pcid, address};

	asm volatile("invpcid %0, %1" : : "m"(descriptor), "r"((uint64_t)kind) : "memory");
}

// Stops this core for good.
[[gnu::noreturn]] static inline void cpu_stop(void) {
	for (;;)
		asm volatile("cli; hlt");
}
