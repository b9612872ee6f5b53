// SPDX-License-Identifier: BSD-2-Clause
// Invocations of scheduling contexts and their control capability.
#include <cpu/clock.h>
#include <kernel/invocation.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/thread.h>

static struct sched_context *target_of(const struct invocation *invocation) {
	return cap_object(&invocation->slot->cap);
}

static enum error bind_to_thread(struct sched_context *context, struct thread *thread) {
	if (context->thread || thread->sched_context) return ERROR_ILLEGAL_OPERATION;
	if (thread_is_blocked(thread) && !schedule_has_budget(context))
		return ERROR_ILLEGAL_OPERATION;
	sched_context_bind_thread(context, thread);
	return ERROR_NONE;
}

static enum error bind_to_notification(
	struct sched_context *context, struct notification *notification) {
	if (context->notification || notification->sched_context) return ERROR_ILLEGAL_OPERATION;
	sched_context_bind_notification(context, notification);
	return ERROR_NONE;
}

enum error sched_context_bind(struct invocation *invocation) {
	const struct cap *cap = &invocation->caps[0]->cap;

	if (cap->type == CAP_THREAD) return bind_to_thread(target_of(invocation), cap_object(cap));
	if (cap->type == CAP_NOTIFICATION)
		return bind_to_notification(target_of(invocation), cap_object(cap));
	return error_capability(invocation, 1);
}

enum error sched_context_unbind(struct invocation *invocation) {
	struct sched_context *context = target_of(invocation);

	if (context->thread == invocation->caller) return ERROR_ILLEGAL_OPERATION;
	reply_cut_chain(context);
	sched_context_unbind_thread(context);
	sched_context_unbind_notification(context);
	return ERROR_NONE;
}

enum error sched_context_unbind_object(struct invocation *invocation) {
	struct sched_context *context = target_of(invocation);
	const struct cap *cap = &invocation->caps[0]->cap;

	if (cap->type == CAP_THREAD) {
		if (context->thread != cap_object(cap) || cap_object(cap) == invocation->caller)
			return ERROR_ILLEGAL_OPERATION;
		sched_context_unbind_thread(context);
		return ERROR_NONE;
	}
	if (cap->type == CAP_NOTIFICATION) {
		if (context->notification != cap_object(cap)) return ERROR_ILLEGAL_OPERATION;
		sched_context_unbind_notification(context);
		return ERROR_NONE;
	}
	return error_capability(invocation, 1);
}

enum error sched_context_consumed(struct invocation *invocation) {
	schedule_commit_time();
	return invocation_return(invocation, sched_context_take_consumed(target_of(invocation)));
}

enum error sched_context_yield_to(struct invocation *invocation) {
	struct sched_context *context = target_of(invocation);
	struct thread *caller = invocation->caller;
	struct thread *thread = context->thread;

	if (!thread || thread == caller || thread->priority > caller->max_priority)
		return ERROR_ILLEGAL_OPERATION;

	if (context->yield_from) sched_context_complete_yield(context);
	if (!thread_is_schedulable(thread))
		return invocation_return(invocation, sched_context_take_consumed(context));
	if (thread->priority < caller->priority) {
		schedule_enqueue_first(thread);
		return invocation_return(invocation, sched_context_take_consumed(context));
	}
	// The caller waits at the front of its level behind the target (G15); schedule() completes
	// the call when it picks the caller again.
	context->yield_from = caller;
	caller->yielding_to = context;
	schedule_enqueue_first(caller);
	schedule_enqueue_first(thread);
	return ERROR_NO_REPLY;
}

// Longest budget or period, in microseconds (G2).
static uint64_t longest_us(void) { return UINT64_MAX / clock_ticks_per_us() / 8; }

enum {
	SHORTEST_US = 20,
};

static enum error decode_configure(struct invocation *invocation) {
	uint64_t budget = invocation_word(invocation, 0);
	uint64_t period = invocation_word(invocation, 1);
	const struct cap *cap = &invocation->caps[0]->cap;
	unsigned extra;

	if (budget > longest_us() || period > longest_us() || budget < SHORTEST_US ||
		period < SHORTEST_US)
		return error_range(invocation, SHORTEST_US, longest_us());
	if (budget > period) return error_range(invocation, SHORTEST_US, period);
	if (cap->type != CAP_SCHED_CONTEXT) return error_capability(invocation, 1);
	extra = sched_context_capacity(cap->size_bits) - 2;
	if (invocation_word(invocation, 2) > extra) return error_range(invocation, 0, extra);
	return ERROR_NONE;
}

enum error sched_control_configure_flags(struct invocation *invocation) {
	enum error error = decode_configure(invocation);
	struct sched_context *context;
	struct refill_queue parameters;
	struct thread *thread;

	if (error != ERROR_NONE) return error;
	context = cap_object(&invocation->caps[0]->cap);
	thread = context->thread;
	parameters = (struct refill_queue){
		.budget = invocation_word(invocation, 0) * clock_ticks_per_us(),
		.period = invocation_word(invocation, 1) * clock_ticks_per_us(),
		.maximum = (uint32_t)invocation_word(invocation, 2) + 2,
	};

	schedule_forget_context(context);
	if (thread) schedule_dequeue(thread);
	context->badge = invocation_word(invocation, 3);
	context->flags = (uint32_t)invocation_word(invocation, 4) & SCHED_CONTEXT_SPORADIC;
	context->core = (uint32_t)invocation->slot->cap.core;
	if (thread && thread_is_runnable(thread) && sched_context_is_active(context))
		refill_restart(context, &parameters, schedule_now());
	else
		refill_start(context, &parameters, schedule_now());
	if (thread && thread == this_cpu()->current)
		schedule_reconsider_current();
	else if (thread)
		schedule_possible(thread);
	return ERROR_NONE;
}
