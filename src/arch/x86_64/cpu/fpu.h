// SPDX-License-Identifier: BSD-2-Clause
// x87, SSE and AVX state by XSAVE (SDM 1, chapter 13). The registers always belong to one owner.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FPU_THREAD_AREA 832 // x87, SSE and AVX: what a native thread may use

// One owner of FPU registers: a native thread or a guest. The area is 64-byte aligned.
struct fpu_state {
	uint8_t *area;
	uint64_t xcr0;
};

// Finds XSAVE features, sets CR0, CR4 and XCR0 for native threads. Once a core, at boot.
void fpu_init(void);

// XCR0 of native threads, and every bit that could be switched for a guest whose area has
// area_size bytes.
uint64_t fpu_native_xcr0(void);
uint64_t fpu_guest_xcr0(size_t area_size);

// Puts the reset state (FCW 0x37f, MXCSR 0x1f80) into an area of size bytes.
void fpu_reset(struct fpu_state *state, uint8_t *area, size_t size, uint64_t xcr0);

// Makes next the owner: saves the present owner's registers, loads next's, and XCR0 if it differs.
void fpu_switch(struct fpu_state *next);

// The state is about to be destroyed or rewritten: it stops being the owner without a save.
void fpu_forget(struct fpu_state *state);

// Saves the registers if state is the owner, so that its area is up to date.
void fpu_flush(struct fpu_state *state);

// CR0.TS: with access off the next FPU instruction raises #NM. Writes CR0 only on a change.
void fpu_allow(void);
void fpu_deny(void);
