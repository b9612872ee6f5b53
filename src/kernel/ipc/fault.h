// SPDX-License-Identifier: BSD-2-Clause
// Faults become messages to a handler, and its reply changes the faulting thread (FAULT-1 to
// FAULT-14). So does the end of a turn within an entry, if the thread has a timeout handler.
#pragma once

#include <sched/schedule.h>

// Each sends a message to the thread's fault handler, or makes the thread inactive if it has none.
// slot: what address names, and cannot be used; null: it names none.
[[gnu::cold]] void fault_capability(
	struct thread *thread, uint64_t address, const struct slot *slot, bool in_receive);
void fault_unknown_syscall(struct thread *thread, uint64_t number);

// The same for a fault that was noted.
void fault_raise(struct thread *thread);

// The thread has a fault of this kind from now on. length: of its words, those from the third on
// are the caller's to fill in.
static inline void fault_note(struct thread *thread, enum fault_kind kind, uint32_t length,
	uint64_t first, uint64_t second) {
	thread->fault_kind = (uint8_t)kind;
	thread->fault.length = length;
	thread->fault.words[0] = first;
	thread->fault.words[1] = second;
}

// Sends a timeout fault to the handler; false if the thread has none, and then nothing happened.
[[nodiscard]] bool fault_timeout(struct thread *thread);

// This core is inside: what raises a fault now reaches only what belongs to it.
[[nodiscard]] bool fault_is_own(const struct cpu *cpu);

// The end of the current thread's turn, if it is over, sends no fault.
[[nodiscard]] static inline bool turn_end_is_own(const struct cpu *cpu) {
	return likely(cpu->now < cpu->next_event) ||
		cpu->current->slots[THREAD_TIMEOUT_HANDLER].cap.type == CAP_NULL;
}

// Slow path of budget_is_left().
[[nodiscard]] bool budget_is_left_slow(void);

// True if the current thread has budget to continue. Otherwise its turn is over: it restarts its
// instruction when it has budget again, or after its timeout handler's reply. Called before each
// call and exception, and when the timer interrupt came.
static inline bool budget_is_left(void) {
	const struct cpu *cpu = this_cpu();

	return likely(cpu->now < cpu->next_event) || budget_is_left_slow();
}
