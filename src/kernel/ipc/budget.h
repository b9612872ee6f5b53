// SPDX-License-Identifier: BSD-2-Clause
// Whether the current thread has budget left for its system call.
#pragma once

#include <sched/schedule.h>

// Slow path of budget_is_left().
[[nodiscard]] bool budget_is_left_slow(void);

// True if the current thread has budget to continue. Otherwise its turn is over: it restarts its
// instruction when it has budget again, or after its timeout handler's reply. Called before each
// call and exception, and when the timer interrupt came.
static inline bool budget_is_left(void) {
	const struct cpu *cpu = this_cpu();

	return likely(cpu->now < cpu->next_event) || budget_is_left_slow();
}
