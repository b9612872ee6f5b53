// SPDX-License-Identifier: BSD-2-Clause
// Types of memory by address (MTRRs, SDM 3A 12.11; APM 2 7.7): firmware sets them, and all cores
// must have the same.
#pragma once

#include <base/compiler.h>

// All from MSR_MTRR_FIRST on, with gaps, and what switches them on.
enum { MTRRS = 0x71 };

// What this core has; 0 for those that it lacks.
void memory_types_read(uint64_t values[MTRRS]);

// Gives this core those of another; false if it cannot have them.
[[nodiscard]] bool memory_types_join(const uint64_t values[MTRRS]);
