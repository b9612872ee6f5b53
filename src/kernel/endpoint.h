// SPDX-License-Identifier: BSD-2-Clause
// Endpoints: rendezvous of senders and receivers (semantics.md D).
#pragma once

#include <kernel/thread.h>

// 16 bytes: the head of a doubly linked queue, whose tail is head's `previous`, and who waits.
struct endpoint {
	struct thread *head;
	uint64_t receiving; // the queue holds receivers, not senders
};

_Static_assert(sizeof(struct endpoint) == 1 << ENDPOINT_BITS);

enum send_block {
	SEND_BLOCKING,
	SEND_NONBLOCKING,
};

// How a message is sent: by a system call or for a fault.
struct send {
	uint64_t badge;
	uint8_t flags; // enum message_flags
	uint8_t block; // enum send_block
};

// The rights of an endpoint capability that travel with a message.
static inline unsigned message_flags_of(const struct cap *cap) {
	return (cap->rights & RIGHT_GRANT ? MESSAGE_GRANT : 0u) |
		(cap->rights & RIGHT_GRANT_REPLY ? MESSAGE_GRANT_REPLY : 0u);
}

// Sends sender's message: to the first receiver at once, else queues sender or, non-blocking,
// does nothing.
void endpoint_send(struct endpoint *endpoint, struct thread *sender, const struct send *send);

// Receives for receiver; reply may be null (Wait). With SEND_NONBLOCKING and nobody there the badge
// register becomes 0.
void endpoint_receive(struct endpoint *endpoint, struct thread *receiver, struct reply *reply,
	enum send_block block);

// Takes a thread out of the queue it waits in.
void endpoint_dequeue(struct thread *thread);

// Every waiting thread restarts its call, or becomes inactive if it waits with a fault.
void endpoint_cancel_all(struct endpoint *endpoint);

// The same for senders with this badge (semantics.md C11).
void endpoint_cancel_badged(struct endpoint *endpoint, uint64_t badge);

// The thread's priority changed while it waits: puts it behind its equals.
void endpoint_requeue(struct thread *thread);
