// SPDX-License-Identifier: BSD-2-Clause
// Reply objects: the right to answer a caller, and the chain along which a scheduling context
// returns (IPC-7 to IPC-19).
//
//   sched_context.reply -> R3 -> R2 -> R1     head: the most recent call
//                          |      |     |
//                       caller3  caller2 caller1
#pragma once

#include <sched/sched_context.h>
#include <sched/thread.h>

struct reply {
	// The receiver waiting with this object, or the caller waiting for the reply: distinguished
	// by that thread's state.
	struct thread *thread;
	struct reply *older; // next reply down the chain, or null
	struct reply *newer; // next up; null at the head of the chain or outside one
	struct sched_context *head; // whose chain this is the head of, or null
};

_Static_assert(sizeof(struct reply) == 1 << REPLY_BITS);

// Another core may look meanwhile whether the object is free (reply_take).
static inline struct thread *reply_thread(const struct reply *reply) {
	return __atomic_load_n(&reply->thread, __ATOMIC_RELAXED);
}

static inline void reply_set(struct reply *reply, struct thread *thread) {
	__atomic_store_n(&reply->thread, thread, __ATOMIC_RELEASE);
}

// Another core may look meanwhile whether the object is the head of a chain of its own.
static inline void reply_set_head(struct reply *reply, struct sched_context *context) {
	__atomic_store_n(&reply->head, context, __ATOMIC_RELAXED);
}

// Then a caller waits with it, and it is its context's core's.
[[nodiscard]] static inline bool reply_is_head(
	const struct reply *reply, const struct sched_context *context) {
	return __atomic_load_n(&reply->head, __ATOMIC_RELAXED) == context;
}

// caller waits for the answer through reply.
static inline void reply_wait(struct reply *reply, struct thread *caller) {
	reply_set(reply, caller);
	caller->reply = reply;
	caller->state = THREAD_BLOCKED_REPLY;
}

// A free reply object belongs to no core: one that does not run alone takes it for a thread that is
// about to receive with it. False: it is not free.
[[nodiscard]] static inline bool reply_take(struct reply *reply, struct thread *receiver) {
	struct thread *free = NULL;

	return __atomic_compare_exchange_n(
		&reply->thread, &free, receiver, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

// The receiver has it no more, and no caller does.
static inline void reply_release(struct reply *reply, const struct thread *receiver) {
	if (reply && reply_thread(reply) == receiver) reply_set(reply, NULL);
}

// reply becomes the head of context's chain.
static inline void reply_chain(struct reply *reply, struct sched_context *context) {
	struct reply *older = context->reply;

	reply->older = older;
	if (older) {
		older->newer = reply;
		reply_set_head(older, NULL);
	}
	reply_set_head(reply, context);
	context->reply = reply;
}

// reply, the head of context's chain, leaves it.
static inline void reply_unchain(struct reply *reply, struct sched_context *context) {
	struct reply *older = reply->older;

	context->reply = older;
	if (unlikely(older)) {
		older->newer = NULL;
		reply_set_head(older, context);
		reply->older = NULL;
	}
	reply_set_head(reply, NULL);
}

// The thread stops waiting for a reply (IPC-18): the chain is cut here.
void reply_cancel_wait(struct thread *thread);

// Cuts the chain of context (IPC-19).
void reply_cut_chain(struct sched_context *context);

// reply's caller is about to get its answer: leaves the chain, and the context returns if reply was
// the head (IPC-15, IPC-16). The caller's wait ends; the replying function sets its state.
void reply_remove(struct reply *reply);
