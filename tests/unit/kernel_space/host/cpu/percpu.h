// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the one core.
#pragma once

#include <cpu/utilisation.h>

struct cpu {
	uint64_t space_root;
	struct fpu_state *fpu_allowed;
	uint64_t kernel_cr3;
	uint32_t mitigations;
};

struct cpu *this_cpu(void);
