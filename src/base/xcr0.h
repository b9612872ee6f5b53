// SPDX-License-Identifier: BSD-2-Clause
// The one rule for values of XCR0 (SDM 1, 13.3): what a guest may load is what the CPU would take,
// of the bits that are offered to it.
#pragma once

#include <base/compiler.h>
#include <x86/cr.h>

static inline bool xcr0_is_valid(uint64_t value, uint64_t offered) {
	uint64_t avx512 = value & XCR0_AVX512;

	if (!(value & XCR0_X87) || value & ~offered) return false;
	if (value & XCR0_AVX && !(value & XCR0_SSE)) return false;
	return !avx512 || (avx512 == XCR0_AVX512 && value & XCR0_AVX);
}
