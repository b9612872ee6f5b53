// SPDX-License-Identifier: BSD-2-Clause
// MSRs that a CPU may lack, and values that it may refuse: false then, and nothing happened.
#pragma once

#include <base/compiler.h>

// A #GP at the instruction before continues at the label (broken.c).
#define RECOVER_AT_FAULT "; .pushsection .recover, \"a\"; .quad 1b, %l[fault]; .popsection"

[[nodiscard]] static inline bool msr_try_read(uint32_t msr, uint64_t *value) {
	uint32_t low, high;

	asm goto("1: rdmsr" RECOVER_AT_FAULT : "=a"(low), "=d"(high) : "c"(msr) : : fault);
	*value = (uint64_t)high << 32 | low;
	return true;
fault:
	return false;
}

[[nodiscard]] static inline bool msr_try_write(uint32_t msr, uint64_t value) {
	asm goto("1: wrmsr" RECOVER_AT_FAULT
		 :
		 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		 : "memory"
		 : fault);
	return true;
fault:
	return false;
}
#undef RECOVER_AT_FAULT
