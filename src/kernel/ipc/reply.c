// SPDX-License-Identifier: BSD-2-Clause
// Reply objects and call chains.
#include <ipc/reply.h>

#include <ipc/fault.h>
#include <ipc/endpoint.h>
#include <cap/object.h>
#include <sched/schedule.h>

void reply_push(struct reply *reply, struct thread *caller, struct thread *callee, unsigned flags) {
	struct sched_context *context = caller->sched_context;

	reply_wait(reply, caller);
	if (!(flags & MESSAGE_DONATE) || !context || callee->sched_context) return;
	reply_chain(reply, context);
	sched_context_donate(context, callee);
}

// Takes reply out of its chain: neither it nor older calls get the context back.
static void cut_here(struct reply *reply) {
	if (reply->head) reply->head->reply = NULL;
	if (reply->newer) reply->newer->older = NULL;
	if (reply->older) reply->older->newer = NULL;
	reply->head = NULL;
	reply->newer = NULL;
	reply->older = NULL;
}

static void end_wait(struct reply *reply) {
	reply->thread->reply = NULL;
	reply->thread = NULL;
}

// reply's caller is about to get its answer: leaves the chain, and the context returns if reply was
// the head (IPC-15, IPC-16). The caller's wait ends; the replying function sets its state.
static void reply_remove(struct reply *reply) {
	struct sched_context *context = reply->head;
	struct thread *caller = reply->thread;

	end_wait(reply);
	if (!context) return cut_here(reply);
	reply_unchain(reply, context);
	if (!caller->sched_context) sched_context_donate(context, caller);
}

void reply_cut_chain(struct sched_context *context) {
	if (context->reply) cut_here(context->reply);
}

void reply_cancel_wait(struct thread *thread) {
	struct reply *reply = thread->reply;

	cut_here(reply);
	end_wait(reply);
}

void reply_send(struct reply *reply, struct thread *sender, unsigned flags) {
	struct thread *caller = reply->thread;
	struct sched_context *context;
	bool was_timeout;

	if (!caller || caller->state != THREAD_BLOCKED_REPLY) return;
	was_timeout = caller->fault_kind == FAULT_TIMEOUT;
	reply_remove(reply);
	if (caller->fault_kind == FAULT_NONE) {
		message_transfer(sender, caller, NULL, 0, flags);
		caller->state = THREAD_RUNNING;
	} else {
		caller->state = fault_reply_restarts(caller, *context_tag(&sender->context))
			? THREAD_RESTART
			: THREAD_INACTIVE;
		fault_take_reply(caller, sender);
	}
	// The caller continues if its context has budget; otherwise its timeout handler is sent a
	// fault, or it waits (IPC-10).
	context = caller->sched_context;
	if (!thread_is_runnable(caller) || was_timeout || !context ||
		!sched_context_is_active(context) || schedule_has_budget(context) ||
		!fault_timeout(caller))
		schedule_possible(caller);
}

void reply_destroy(struct slot *slot, bool last) {
	struct reply *reply = cap_object(&slot->cap);
	struct thread *thread = reply->thread;

	if (!last || !thread) return;
	if (thread->state == THREAD_BLOCKED_REPLY) {
		reply_remove(reply);
		thread->state = THREAD_INACTIVE;
		thread->fault_kind = FAULT_NONE;
	} else {
		thread_cancel_ipc(thread);
	}
}
