// SPDX-License-Identifier: BSD-2-Clause
// Eager switching: the registers always hold the state of this core's fpu_owner.
#include <cpu/fpu.h>

#include <base/memory.h>
#include <base/panic.h>
#include <cpu/features.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>

enum xcr0_bit { XCR0_X87 = 1 << 0, XCR0_SSE = 1 << 1, XCR0_AVX = 1 << 2, XCR0_AVX512 = 7 << 5 };

enum {
	XSAVE_LEGACY_SIZE = 576, // x87 and SSE with the header
	XSAVE_CONTROL = 0 / 8, // words of the area: FCW
	XSAVE_MXCSR = 24 / 8,
	XSAVE_USED = 512 / 8, // XSTATE_BV: clear bits load the initial state
	COMPONENT_FIRST = 2,
	COMPONENT_LIMIT = 63,
	RESET_CONTROL = 0x37f,
	RESET_MXCSR = 0x1f80,
};

// What XCR0 may hold on this CPU. Written by fpu_init only.
static uint64_t supported;

uint64_t fpu_native_xcr0(void) { return supported & (XCR0_X87 | XCR0_SSE | XCR0_AVX); }

uint64_t fpu_guest_xcr0(size_t area_size) {
	uint64_t result = supported & (XCR0_X87 | XCR0_SSE);

	if (area_size < XSAVE_LEGACY_SIZE) return 0;
	for (uint32_t i = COMPONENT_FIRST; i < COMPONENT_LIMIT; i++) {
		struct cpuid regs;

		if (!(supported >> i & 1)) continue;
		regs = cpuid(0xd, i); // EAX: size, EBX: offset
		if ((size_t)regs.eax + regs.ebx <= area_size) result |= 1ul << i;
	}
	// The three AVX-512 parts can be enabled only together.
	return (result & XCR0_AVX512) == XCR0_AVX512 ? result : result & ~(uint64_t)XCR0_AVX512;
}

static void area_save(struct fpu_state *state) {
	if (feature_has(FEATURE_XSAVEOPT))
		asm volatile("xsaveopt64 (%0)" : : "r"(state->area), "a"(~0), "d"(~0) : "memory");
	else
		asm volatile("xsave64 (%0)" : : "r"(state->area), "a"(~0), "d"(~0) : "memory");
}

void fpu_init(void) {
	struct cpu *cpu = this_cpu();
	struct cpuid regs = cpuid(0xd, 0);

	supported = (uint64_t)regs.edx << 32 | regs.eax;
	cpu->xcr0 = fpu_native_xcr0();
	xcr0_write(cpu->xcr0);
	// CPUID 0Dh.0:EBX: what XCR0's present value needs.
	if (cpuid(0xd, 0).ebx > FPU_THREAD_AREA)
		panic("fpu: a thread's area of %d bytes is too small", FPU_THREAD_AREA);
}

void fpu_reset(struct fpu_state *state, uint8_t *area, size_t size, uint64_t xcr0) {
	uint64_t *words = memset(area, 0, size);

	words[XSAVE_CONTROL] = RESET_CONTROL;
	words[XSAVE_MXCSR] = RESET_MXCSR;
	// SSE marked as in use, so that MXCSR is loaded from here in every case.
	words[XSAVE_USED] = XCR0_X87 | XCR0_SSE;
	*state = (struct fpu_state){.area = area, .xcr0 = xcr0};
}

void fpu_switch(struct fpu_state *next) {
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_owner == next) return;
	fpu_allow(); // XSAVE and XRSTOR obey CR0.TS themselves
	if (cpu->fpu_owner) area_save(cpu->fpu_owner);
	cpu->fpu_owner = next;
	if (cpu->xcr0 != next->xcr0) xcr0_write(next->xcr0);
	cpu->xcr0 = next->xcr0;
	asm volatile("xrstor64 (%0)" : : "r"(next->area), "a"(~0), "d"(~0) : "memory");
}

void fpu_forget(struct fpu_state *state) {
	if (this_cpu()->fpu_owner == state) this_cpu()->fpu_owner = NULL;
}

void fpu_flush(struct fpu_state *state) {
	uint32_t denied = this_cpu()->fpu_denied;

	if (this_cpu()->fpu_owner != state) return;
	fpu_allow();
	area_save(state);
	if (denied) fpu_deny();
}

void fpu_allow(void) {
	if (!this_cpu()->fpu_denied) return;
	this_cpu()->fpu_denied = 0;
	asm volatile("clts");
}

void fpu_deny(void) {
	if (this_cpu()->fpu_denied) return;
	this_cpu()->fpu_denied = 1;
	cr0_write(cr0_read() | CR0_TS);
}
