// SPDX-License-Identifier: BSD-2-Clause
// One function for each privileged instruction that C cannot say (SDM 2).
#pragma once

#include <stdint.h>
#include <x86/cr.h>
#include <x86/instructions.h>
#include <x86/msr.h>

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

static inline uint64_t xcr0_read(void) {
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
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

// In loops that wait for another core or a device.
static inline void cpu_relax(void) { asm volatile("pause" : : : "memory"); }

static inline void interrupts_disable(void) { asm volatile("cli"); }

// Stops this core for good.
[[gnu::noreturn]] static inline void cpu_stop(void) {
	for (;;)
		asm volatile("cli; hlt");
}
