// SPDX-License-Identifier: BSD-2-Clause
// The end of a turn within an entry: a timeout fault, or the next thread's turn.
#include <ipc/budget.h>

#include <ipc/fault.h>

bool budget_is_left_slow(void) {
	struct thread *current = this_cpu()->current;

	schedule_request(); // a release may be due
	if (!schedule_turn_is_over(this_cpu())) return true;
	schedule_charge();
	if (current->state == THREAD_RUNNING) current->state = THREAD_RESTART;
	if (refill_is_round_robin(current->sched_context) || !fault_timeout(current))
		schedule_end_turn(current);
	return false;
}
