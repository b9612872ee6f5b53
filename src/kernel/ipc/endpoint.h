// SPDX-License-Identifier: BSD-2-Clause
// Endpoints: rendezvous of senders and receivers (IPC-1 to IPC-6), and the messages that pass from
// thread to thread (MSG-6 to MSG-16).
#pragma once

#include <ipc/reply.h>

// The queue of waiting threads: all senders or all receivers.
struct endpoint {
	struct thread *head;
	struct thread *cursor; // the sender where a preempted CancelBadgedSends continues, or null
};

_Static_assert(sizeof(struct endpoint) == 1 << ENDPOINT_BITS);

enum send_block { SEND_BLOCKING, SEND_NONBLOCKING };

// Sends sender's message by an endpoint capability: to the first receiver at once, else queues
// sender or, non-blocking, does nothing. flags: MESSAGE_CALL and MESSAGE_DONATE.
void endpoint_send(
	const struct cap *cap, struct thread *sender, unsigned flags, enum send_block block);

// Receives for receiver; reply may be null (Wait). With SEND_NONBLOCKING and no sender the badge
// register becomes 0.
void endpoint_receive(struct endpoint *endpoint, struct thread *receiver, struct reply *reply,
	enum send_block block);

// The endpoint where the thread waits to send.
static inline struct endpoint *endpoint_of_sender(const struct thread *sender) {
	_Static_assert(offsetof(struct endpoint, head) == 0);
	return (struct endpoint *)sender->waits_in;
}

// The sender is about to leave the queue.
static inline void endpoint_lose_sender(const struct thread *sender) {
	struct endpoint *endpoint = endpoint_of_sender(sender);
	struct thread *next = sender->queue.next;

	if (likely(endpoint->cursor != sender)) return;
	endpoint->cursor = next;
	if (next) next->cancelled_badge = sender->cancelled_badge;
}

// Cancels the wait of all senders with this badge (CAP-35). May be preempted.
enum error endpoint_cancel_badged(struct endpoint *endpoint, uint64_t badge);

// Registers of the message convention in a frame (SYS-2).
static inline uint64_t *context_badge(struct context *context) { return &context->rdi; }

static inline uint64_t *context_tag(struct context *context) { return &context->rsi; }

// Copies the sender's message, or its fault, into receiver, whose badge register becomes badge.
// With MESSAGE_GRANT in flags capabilities go along; those to endpoint itself (null: a reply) are
// unwrapped.
void message_transfer(struct thread *sender, struct thread *receiver,
	const struct endpoint *endpoint, uint64_t badge, unsigned flags);

// Writes the words of a message that fit into receiver's registers and buffer; returns how many.
unsigned message_write(struct thread *receiver, const uint64_t *words, unsigned length);

// Copies the words of a message that travel in registers.
static inline void message_copy_registers(
	const struct context *from, struct context *to, unsigned length) {
	if (length == 0) return;
	to->r10 = from->r10;
	if (length == 1) return;
	to->r8 = from->r8;
	if (length == 2) return;
	to->r9 = from->r9;
	if (length == 3) return;
	to->r15 = from->r15;
}

// Copies the words of a message, those from the fifth on if both threads have a buffer. Returns how
// many arrived.
unsigned message_copy(const struct thread *sender, struct thread *receiver, unsigned length);
