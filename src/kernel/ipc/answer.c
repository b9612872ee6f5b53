// SPDX-License-Identifier: BSD-2-Clause
// Answers to callers.
#include <ipc/answer.h>

#include <ipc/fault.h>
#include <ipc/fault_message.h>
#include <ipc/transfer.h>
#include <ipc/wait.h>

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
	// The caller continues if its context has budget; otherwise its timeout handler is called,
	// or it waits (IPC-10).
	context = caller->sched_context;
	if (!thread_is_runnable(caller) || was_timeout || !context ||
		!sched_context_is_active(context) || schedule_has_budget(this_cpu(), context) ||
		!fault_timeout(caller))
		schedule_propose(caller);
}

void reply_destroy(struct slot *slot, bool last) {
	struct reply *reply = cap_object(&slot->cap);
	struct thread *thread = reply->thread;

	if (!last || !thread) return;
	if (thread->state == THREAD_BLOCKED_REPLY)
		reply_remove(reply);
	else
		thread_unblock(thread);
	thread->state_and_fault = THREAD_INACTIVE;
}
