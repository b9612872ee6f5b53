// SPDX-License-Identifier: BSD-2-Clause
// x87, SSE and AVX state by XSAVE (SDM 1, chapter 13). The registers belong to one owner at a time.
// A thread that has not used them yet runs with CR0.TS set and costs no save and no load; #NM makes
// it a user of the FPU, whose state is switched with it from then on.
#pragma once

#include <cpu/mitigations.h>
#include <cpu/features.h>

#define FPU_THREAD_AREA 832 // x87, SSE and AVX: what a native thread may use

// One owner of FPU registers: a native thread or a guest. Its XSAVE area, 64-byte aligned, follows
// directly.
struct fpu_state {
	uint64_t xcr0;
	uint8_t area[0];
};

// CR0.TS. XSAVE and XRSTOR obey it themselves.
static inline void fpu_allow(void) { asm volatile("clts"); }

static inline void fpu_deny(void) { cr0_write(cr0_read() | CR0_TS); }

static inline void fpu_save(struct fpu_state *state) {
	if (likely(feature_has(FEATURE_XSAVEOPT)))
		asm volatile("xsaveopt64 %0" : : "m"(state->area), "a"(~0), "d"(~0) : "memory");
	else
		asm volatile("xsave64 %0" : : "m"(state->area), "a"(~0), "d"(~0) : "memory");
}

// Finds XSAVE features, sets CR0, CR4 and XCR0 for native threads. Once a core, at boot.
void fpu_init(void);

// XCR0 of native threads, and every bit that a guest may have whose area has area_size bytes,
// enough for a native thread.
uint64_t fpu_native_xcr0(void);
uint64_t fpu_guest_xcr0(size_t area_size);

// Some CPUs' XRSTOR loads the pointers to the last x87 instruction only with an x87 exception: this
// makes them the kernel's (CVE-2006-1056).
static inline void fpu_forget_pointers(const struct cpu *cpu) {
	static const uint32_t zero;

	if (unlikely(cpu->mitigations & MITIGATION_BIT(X87)))
		asm volatile("fnclex; emms; fildl %0" : : "m"(zero));
}

// fpu_save and fpu_load in a row for CPUs with XSAVEOPT and native threads, whose XCR0 has nothing
// in its upper half, which EDX would choose from.
static inline void fpu_exchange(
	const struct cpu *cpu, struct fpu_state *save, const struct fpu_state *load) {
	uint32_t all = ~0u; // an output, so that it stays where it is

	asm volatile("xsaveopt64 %1" : "+a"(all) : "m"(save->area) : "memory");
	fpu_forget_pointers(cpu);
	asm volatile("xrstor64 %0" : : "m"(load->area), "a"(all) : "memory");
}

// Puts the reset state (FCW 0x37f, MXCSR 0x1f80) into an area of size bytes.
void fpu_reset(struct fpu_state *state, size_t size, uint64_t xcr0);

// Gives the FPU to next: saves the present owner's registers if that is another, loads next's, and
// XCR0 if it differs. Null: the next FPU instruction raises #NM.
void fpu_give(struct fpu_state *next);

// fpu_give() from one native thread to another, in line, for CPUs with XSAVEOPT. All native threads
// have one XCR0, and addresses of the kernel are negative numbers: neither state may be null.
static inline void fpu_give_fast(struct cpu *cpu, struct fpu_state *next) {
	struct fpu_state *owner = __atomic_load_n(&cpu->fpu_allowed, __ATOMIC_RELAXED);

	if (unlikely(((int64_t)owner & (int64_t)next) >= 0)) return fpu_give(next);
	fpu_exchange(cpu, owner, next);
	cpu->fpu_allowed = next;
}

// fpu_give() between a native thread and a guest, which owns the registers or is to own them: in
// line where one of the two does not use the FPU, or both have one XCR0. For CPUs with XSAVEOPT.
static inline void fpu_give_guest(struct cpu *cpu, struct fpu_state *next) {
	struct fpu_state *owner = cpu->fpu_allowed;

	if (!owner && cpu->fpu_parked == next) {
		fpu_allow();
	} else if (!next) {
		cpu->fpu_parked = owner;
		fpu_deny();
	} else if (unlikely(!owner || cpu->xcr0 != next->xcr0)) {
		return fpu_give(next);
	} else {
		fpu_exchange(cpu, owner, next);
	}
	cpu->fpu_allowed = next;
}

// True if every thread must own the FPU from its start, for on this CPU a program can guess at the
// registers behind CR0.TS (CVE-2018-3665).
[[nodiscard]] bool fpu_is_eager(void);

// The registers are saved if they are the state's, which owns them no more: its area is up to date,
// and may be changed or destroyed.
void fpu_take(struct fpu_state *state);
