// SPDX-License-Identifier: BSD-2-Clause
// Scheduling contexts: who holds them, and moving them.
#include <kernel/sched_context.h>

#include <abi/message.h>
#include <base/panic.h>
#include <cpu/clock.h>
#include <kernel/message.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/schedule.h>

void sched_context_bind_thread(struct sched_context *context, struct thread *thread) {
	assert(!context->thread && !thread->sched_context);
	context->thread = thread;
	thread->sched_context = context;
	schedule_possible(thread);
}

void sched_context_unbind_thread(struct sched_context *context) {
	struct thread *thread = context->thread;

	if (!thread) return;
	schedule_dequeue(thread);
	thread->sched_context = NULL;
	context->thread = NULL;
}

void sched_context_bind_notification(
	struct sched_context *context, struct notification *notification) {
	context->notification = notification;
	notification->sched_context = context;
}

void sched_context_unbind_notification(struct sched_context *context) {
	if (!context->notification) return;
	context->notification->sched_context = NULL;
	context->notification = NULL;
}

void sched_context_donate(struct sched_context *context, struct thread *thread) {
	assert(!thread->sched_context);
	sched_context_unbind_thread(context);
	context->thread = thread;
	thread->sched_context = context;
}

void sched_context_detach(struct sched_context *context) {
	if (context->yield_from) sched_context_complete_yield(context);
	reply_cut_chain(context);
	sched_context_unbind_thread(context);
	sched_context_unbind_notification(context);
	schedule_forget_context(context);
}

uint64_t sched_context_take_consumed(struct sched_context *context) {
	uint64_t consumed = context->consumed;

	context->consumed = 0;
	return consumed / clock_ticks_per_us();
}

void sched_context_complete_yield(struct sched_context *context) {
	struct thread *waiter = context->yield_from;
	uint64_t consumed = sched_context_take_consumed(context);

	context->yield_from = NULL;
	waiter->yielding_to = NULL;
	if (!(waiter->message_flags & MESSAGE_CALL)) return;
	*context_badge(&waiter->context) = 0;
	*context_tag(&waiter->context) = tag_make(0, 0, 0, 1);
	*thread_message_register(waiter, 0) = consumed;
}
