// SPDX-License-Identifier: BSD-2-Clause
// Switching of the FPU by its users only, or by all threads where CR0.TS does not protect
// registers.
#include <cpu/fpu.h>

#include <cpu/platform.h>

enum {
	XSAVE_CONTROL = 0 / 8, // words of the area: FCW
	XSAVE_MXCSR = 24 / 8,
	XSAVE_USED = 512 / 8, // XSTATE_BV: clear bits load the initial state
	RESET_CONTROL = 0x37f,
	RESET_MXCSR = 0x1f80,
};

// CR4.PKE stays off and the bounds registers are gone from CPUs, so guests have no such state.
#define GUEST_COMPONENTS (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

// By XCR0's present value (SDM 2A, CPUID 0Dh).
static size_t area_needed(void) { return cpuid_leaf(0xd, 0).ebx; }

uint64_t fpu_native_xcr0(void) {
	return this_cpu()->platform->found.xcr0_supported & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
}

uint64_t fpu_guest_xcr0(size_t area_size) {
	const struct cpu *cpu = this_cpu();
	uint64_t result = cpu->platform->found.xcr0_supported & GUEST_COMPONENTS;
	size_t size;

	// The three AVX-512 parts can be enabled only together, and with AVX.
	if (~result & (XCR0_AVX512 | XCR0_AVX)) result &= ~(uint64_t)XCR0_AVX512;
	xcr0_write(result);
	size = area_needed();
	xcr0_write(cpu->xcr0);
	return size <= area_size ? result : fpu_native_xcr0();
}

bool fpu_is_eager(void) { return this_cpu()->mitigations & MITIGATION_BIT(EAGER_FPU); }

void fpu_init(void) {
	struct cpu *cpu = this_cpu();
	struct cpuid regs = cpuid_leaf(0xd, 0);

	cpu->platform->found.xcr0_supported = (uint64_t)regs.edx << 32 | regs.eax;
	cpu->xcr0 = fpu_native_xcr0();
	xcr0_write(cpu->xcr0);
	fpu_deny();
	if (area_needed() > FPU_THREAD_AREA)
		panic("fpu: a thread's area of %d bytes is too small", FPU_THREAD_AREA);
}

void fpu_reset(struct fpu_state *state, size_t size, uint64_t xcr0) {
	uint64_t *words = memset(state->area, 0, size);

	words[XSAVE_CONTROL] = RESET_CONTROL;
	words[XSAVE_MXCSR] = RESET_MXCSR;
	// SSE marked as in use, so that MXCSR is loaded from here in every case.
	words[XSAVE_USED] = XCR0_X87 | XCR0_SSE;
	state->xcr0 = xcr0;
}

void fpu_give(struct fpu_state *next) {
	struct cpu *cpu = this_cpu();
	struct fpu_state *owner = cpu->fpu_allowed;

	if (owner == next) return;
	cpu->fpu_allowed = next;
	if (!next) {
		cpu->fpu_parked = owner;
		return fpu_deny();
	}
	if (!owner) {
		fpu_allow();
		owner = cpu->fpu_parked;
	}
	if (owner == next) return;
	if (owner) fpu_save(owner);
	if (cpu->xcr0 != next->xcr0) xcr0_write(next->xcr0);
	cpu->xcr0 = next->xcr0;
	fpu_forget_pointers(cpu);
	asm volatile("xrstor64 %0" : : "m"(next->area), "a"(~0), "d"(~0) : "memory");
}

void fpu_take(struct fpu_state *state) {
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_allowed == state) fpu_give(NULL);
	if (cpu->fpu_allowed || cpu->fpu_parked != state) return;
	fpu_allow();
	fpu_save(state);
	fpu_deny();
	cpu->fpu_parked = NULL;
}
