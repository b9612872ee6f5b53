// SPDX-License-Identifier: BSD-2-Clause
// Reply objects: the way back to a caller, and the chain a scheduling context returns along
// (semantics.md D5 to D20).
//
//   sched_context.reply -> R3 -> R2 -> R1     head: the most recent call
//                          |      |     |
//                       caller3  caller2 caller1
#pragma once

#include <kernel/thread.h>

struct reply {
	// The receiver waiting with this object, or the caller waiting for the reply: told apart
	// by that thread's state.
	struct thread *thread;
	struct reply *older; // next reply down the chain, or null
	struct reply *newer; // next up; null at the head of the chain or outside one
	struct sched_context *head; // whose chain this is the head of, or null
};

_Static_assert(sizeof(struct reply) == 1 << REPLY_BITS);

enum reply_donation {
	REPLY_KEEPS_TIME,
	REPLY_DONATES_TIME,
};

// caller waits for callee's answer through reply. With REPLY_DONATES_TIME and a callee without
// context, the caller's context moves to callee and reply heads its chain.
void reply_push(struct reply *reply, struct thread *caller, struct thread *callee,
	enum reply_donation donation);

// reply's caller is about to get its answer: leaves the chain, and the context returns if reply was
// the head (D14 to D16). The caller's wait ends; its state is the business of whoever replies.
void reply_remove(struct reply *reply);

// The thread stops waiting for a reply (D18): the chain is cut here.
void reply_cancel_wait(struct thread *thread);

// Frees reply for a new receive: whoever uses it stops waiting and becomes inactive (D9).
void reply_clear(struct reply *reply);

// Cuts the chain of context (D19).
void reply_cut_chain(struct sched_context *context);

// Answers the caller waiting on reply with sender's message, or its fault (D6, D7, D20).
void reply_send(struct reply *reply, struct thread *sender, bool can_grant);
