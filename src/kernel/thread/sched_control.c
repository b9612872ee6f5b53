// SPDX-License-Identifier: BSD-2-Clause
// Invocations of scheduling contexts and of the capability that configures them.
#include <cap/invocation.h>
#include <ipc/reply.h>
#include <ipc/notification.h>
#include <cpu/platform.h>
#include <sched/place.h>

void sched_context_destroy(struct slot *slot, bool last) {
	struct sched_context *context = cap_object(&slot->cap);

	if (!last) return;
	if (context->yield_from) sched_context_complete_yield(context);
	reply_cut_chain(context);
	sched_context_unbind_thread(context);
	sched_context_unbind_notification(context);
	schedule_forget_context(context);
}

enum error sched_context_bind(struct invocation *invocation) {
	struct sched_context *context = invocation_object(invocation);
	const struct cap *cap = &invocation->caps[0]->cap;
	struct notification *notification = cap_object(cap);

	if (cap->type == CAP_THREAD) {
		if (!sched_context_can_bind(context, cap_thread(cap)))
			return ERROR_ILLEGAL_OPERATION;
		sched_context_bind_thread(context, cap_thread(cap));
		return ERROR_NONE;
	}
	if (cap->type != CAP_NOTIFICATION) return error_capability(invocation, 1);
	if (context->notification || notification->sched_context) return ERROR_ILLEGAL_OPERATION;
	context->notification = notification;
	notification->sched_context = context;
	return ERROR_NONE;
}

enum error sched_context_unbind(struct invocation *invocation) {
	struct sched_context *context = invocation_object(invocation);

	if (context->thread == invocation->caller) return ERROR_ILLEGAL_OPERATION;
	reply_cut_chain(context);
	sched_context_unbind_thread(context);
	sched_context_unbind_notification(context);
	return ERROR_NONE;
}

enum error sched_context_unbind_object(struct invocation *invocation) {
	struct sched_context *context = invocation_object(invocation);
	const struct cap *cap = &invocation->caps[0]->cap;
	const void *bound = cap->type == CAP_THREAD ? (void *)context->thread
						    : context->notification;

	if (cap->type != CAP_THREAD && cap->type != CAP_NOTIFICATION)
		return error_capability(invocation, 1);
	if (bound != cap_object(cap) || bound == invocation->caller) return ERROR_ILLEGAL_OPERATION;
	if (cap->type == CAP_THREAD)
		sched_context_unbind_thread(context);
	else
		sched_context_unbind_notification(context);
	return ERROR_NONE;
}

enum error sched_context_consumed(struct invocation *invocation) {
	struct sched_context *context = invocation_object(invocation);

	schedule_charge();
	if (context->thread) thread_stop(context->thread); // its core charges what it used
	return invocation_return(invocation, sched_context_take_consumed(context));
}

enum error sched_context_yield_to(struct invocation *invocation) {
	struct sched_context *context = invocation_object(invocation);
	struct thread *caller = invocation->caller, *thread = context->thread;

	if (!thread || thread == caller || thread->priority > caller->max_priority)
		return ERROR_ILLEGAL_OPERATION;

	if (context->yield_from) sched_context_complete_yield(context);
	thread_stop(thread);
	if (!thread_is_schedulable(thread) || thread->priority < caller->priority ||
		thread->cpu != caller->cpu || thread->domain != caller->domain) {
		if (thread_is_schedulable(thread)) schedule_enqueue_first(thread);
		return invocation_return(invocation, sched_context_take_consumed(context));
	}
	// The caller waits at the front of its level behind the target (SCHED-18); schedule()
	// completes the call when it picks the caller again.
	context->yield_from = caller;
	caller->yielding_to = context;
	schedule_enqueue_first(caller);
	schedule_enqueue_first(thread);
	return ERROR_NO_REPLY;
}

static enum error decode_configure(struct invocation *invocation) {
	uint64_t budget = invocation_word(invocation, 0), period = invocation_word(invocation, 1);
	uint64_t longest = UINT64_MAX / clock_ticks_per_us() / 8; // microseconds (SCHED-2)
	const struct cap *cap = &invocation->caps[0]->cap;
	uint64_t extra;

	if (budget > longest || period > longest || budget < MINIMUM_BUDGET_US ||
		period < MINIMUM_BUDGET_US)
		return error_range(invocation, MINIMUM_BUDGET_US, longest);
	if (budget > period) return error_range(invocation, MINIMUM_BUDGET_US, period);
	if (cap->type != CAP_SCHED_CONTEXT) return error_capability(invocation, 1);
	extra = ((1ul << cap->size_bits) - SCHED_CONTEXT_CORE) / sizeof(struct refill) - 2;
	if (extra > UINT32_MAX - 2) extra = UINT32_MAX - 2;
	if (invocation_word(invocation, 2) > extra) return error_range(invocation, 0, extra);
	return ERROR_NONE;
}

enum error sched_control_configure_flags(struct invocation *invocation) {
	enum error error = decode_configure(invocation);
	struct sched_context *context = cap_object(&invocation->caps[0]->cap);
	uint64_t refills = invocation_word(invocation, 2) + 2;
	const struct refill_queue parameters = {
		.budget = invocation_word(invocation, 0) * clock_ticks_per_us(),
		.period = invocation_word(invocation, 1) * clock_ticks_per_us(),
		.maximum = refills < REFILLS_MAX ? (uint32_t)refills : REFILLS_MAX,
	};
	const struct cpu *cpu = this_cpu();
	struct thread *thread;

	if (error) return error;
	thread = context->thread;
	if (thread) thread_stop(thread);
	schedule_forget_context(context);
	if (thread) schedule_dequeue(thread);
	context->badge = invocation_word(invocation, 3);
	context->flags = invocation_word(invocation, 4) & SCHED_CONTEXT_SPORADIC;
	if (thread && thread_is_runnable(thread) && sched_context_is_active(context))
		refill_restart(context, &parameters, cpu->now);
	else
		refill_start(context, &parameters, cpu->now);
	context->cpu = cpu->platform->cores[invocation->slot->cap.word];
	if (thread) thread_place(thread, context->cpu);
	if (thread && thread == cpu->current && !schedule_has_budget(cpu, context))
		release_insert(thread);
	else if (thread)
		schedule_propose(thread); // no change if it is the current thread
	return ERROR_NONE;
}
