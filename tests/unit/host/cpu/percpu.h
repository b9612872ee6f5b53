// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the real struct cpu, found by a function instead of GS.
#pragma once

#define this_cpu this_cpu_by_gs
#define this_thread this_thread_by_gs
#define this_kernel this_kernel_by_gs
#include "../../../../src/arch/x86_64/cpu/percpu.h"
#undef this_cpu
#undef this_thread
#undef this_kernel

struct cpu *this_cpu(void);

static inline struct thread *this_thread(void) { return this_cpu()->current; }

static inline struct kernel *this_kernel(void) { return this_cpu()->kernel; }
