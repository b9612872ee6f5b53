// SPDX-License-Identifier: BSD-2-Clause
// Host tests: one core.
#pragma once

#include <cpu/utilisation.h>

struct cpu {
	uint64_t deadline;
};

struct cpu *this_cpu(void);
