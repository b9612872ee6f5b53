// SPDX-License-Identifier: BSD-2-Clause
// Sending of fault messages, and the effect of replies.
#include <ipc/fault.h>

#include <cpu/console.h>
#include <ipc/endpoint.h>

void fault_raise(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_FAULT_HANDLER].cap;

	if (likely(handler->type == CAP_ENDPOINT))
		return endpoint_send(handler, thread, MESSAGE_CALL | MESSAGE_DONATE);
	print_debug("'%s' faults without handler: kind %u ip %lx words %lx %lx\n", thread->name,
		thread->fault_kind, thread_read_register(thread, REGISTER_RIP),
		thread->fault.words[0], thread->fault.words[1]);
	thread->state_and_fault = THREAD_INACTIVE;
}

bool fault_is_own(const struct cpu *cpu) {
	const struct cap *handler = &cpu->current->slots[THREAD_FAULT_HANDLER].cap;

	return handler->type == CAP_ENDPOINT && endpoint_has_receiver(cap_object(handler), cpu);
}

void fault_capability(
	struct thread *thread, uint64_t address, const struct slot *slot, bool in_receive) {
	struct lookup failure = {{LOOKUP_MISSING_CAPABILITY}};

	if (!slot) failure = cspace_failure(&thread->slots[THREAD_CSPACE].cap, address, 64);
	fault_note(thread, FAULT_CAP, 2 + lookup_length(&failure), address, in_receive);
	memcpy(thread->fault.words + 2, failure.words, sizeof(failure.words));
	fault_raise(thread);
}

void fault_unknown_syscall(struct thread *thread, uint64_t number) {
	fault_note(thread, FAULT_UNKNOWN_SYSCALL, 1, number, 0);
	fault_raise(thread);
}

bool fault_timeout(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_TIMEOUT_HANDLER].cap;

	if (handler->type != CAP_ENDPOINT) return false;
	fault_note(thread, FAULT_TIMEOUT, 1, thread->sched_context->badge, 0);
	schedule_dequeue(thread);
	endpoint_send(handler, thread, MESSAGE_CALL);
	return true;
}

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
