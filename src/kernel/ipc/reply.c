// SPDX-License-Identifier: BSD-2-Clause
// Leaving call chains.
#include <ipc/reply.h>

// Takes reply out of its chain: neither it nor older calls get the context back.
static void cut_here(struct reply *reply) {
	if (reply->head) reply->head->reply = NULL;
	if (reply->newer) reply->newer->older = NULL;
	if (reply->older) reply->older->newer = NULL;
	reply->head = NULL;
	reply->newer = NULL;
	reply->older = NULL;
}

void reply_remove(struct reply *reply) {
	struct sched_context *context = reply->head;
	struct thread *caller = reply->thread;

	caller->reply = NULL;
	reply->thread = NULL;
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
	thread->reply = NULL;
	reply->thread = NULL;
}
