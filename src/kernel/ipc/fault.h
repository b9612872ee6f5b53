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

// The same for a fault that one of the next two has recorded.
void fault_raise(struct thread *thread);

static inline void fault_note_exception(struct thread *thread, uint64_t vector, uint64_t code) {
	thread->fault_kind = FAULT_USER_EXCEPTION;
	thread->fault.words[0] = vector;
	thread->fault.words[1] = code;
	thread->fault.length = 2;
}

static inline void fault_note_vm(struct thread *thread, uint64_t address, uint64_t code) {
	thread->fault_kind = FAULT_VM;
	thread->fault.words[0] = address;
	thread->fault.words[1] = code >> 4 & 1; // an instruction fetch (SDM 3A 4.7)
	thread->fault.words[2] = code & 0x1f;
	thread->fault.length = 3;
}

// Sends a timeout fault to the handler; false if the thread has none, and then nothing happened.
[[nodiscard]] bool fault_timeout(struct thread *thread);

// True if cap may stand in a handler slot: null, or an endpoint with Write and Grant or GrantReply.
[[nodiscard]] bool fault_handler_is_valid(const struct cap *cap);

// Slow path of budget_is_left().
[[nodiscard]] bool budget_is_left_slow(void);

// True if the current thread has budget to continue. Otherwise its turn is over: it restarts its
// instruction when it has budget again, or after its timeout handler's reply. Called before each
// call and exception, and when the timer interrupt came.
static inline bool budget_is_left(void) {
	const struct cpu *cpu = this_cpu();

	return likely(cpu->now < cpu->next_event) || budget_is_left_slow();
}
