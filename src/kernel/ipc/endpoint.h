// SPDX-License-Identifier: BSD-2-Clause
// Endpoints: rendezvous of senders and receivers (IPC-1 to IPC-6).
//
// The folder, in the order to read: words of messages (message) and of faults (fault_message), what
// passes from thread to thread (transfer), who waits for whom (reply, wait), notification, this
// file, faults and ends of turns that become messages (fault), answers, interrupts (irq).
#pragma once

#include <ipc/wait.h>

// The queue of waiting threads: all senders or all receivers.
struct endpoint {
	struct thread *head;
	// The core whose fast paths use the endpoint: the last one that used it in another way. Or,
	// with bit 0 set, the sender where a preempted CancelBadgedSends continues: then no core's.
	uint64_t owner;
};

_Static_assert(sizeof(struct endpoint) == 1 << ENDPOINT_BITS);

// This core is inside: the endpoint is its own, and a receiver would wait.
[[nodiscard]] static inline bool endpoint_may_wait(
	const struct endpoint *endpoint, const struct cpu *cpu) {
	return endpoint->owner == (uint64_t)cpu &&
		(!endpoint->head || endpoint->head->state == THREAD_BLOCKED_RECEIVE);
}

// The first one that waits there is a receiver of this core.
[[nodiscard]] static inline bool endpoint_has_receiver(
	const struct endpoint *endpoint, const struct cpu *cpu) {
	return endpoint_may_wait(endpoint, cpu) && endpoint->head && endpoint->head->cpu == cpu;
}

static inline struct thread *endpoint_cursor(const struct endpoint *endpoint) {
	return endpoint->owner & 1 ? (struct thread *)(endpoint->owner - 1) : NULL;
}

static inline void endpoint_set_cursor(struct endpoint *endpoint, const struct thread *sender) {
	endpoint->owner = sender ? (uint64_t)sender + 1 : 0;
}

// Sends sender's message by an endpoint capability: to the first receiver at once, else queues
// sender or, non-blocking, does nothing. flags: MESSAGE_CALL, MESSAGE_DONATE, MESSAGE_NONBLOCKING.
void endpoint_send(const struct cap *cap, struct thread *sender, unsigned flags);

// Receives for receiver; reply may be null (Wait). With SEND_NONBLOCKING and no sender the badge
// register becomes 0.
void endpoint_receive(struct endpoint *endpoint, struct thread *receiver, struct reply *reply,
	enum send_block block);

// The endpoint where the thread waits.
static inline struct endpoint *endpoint_of_waiter(const struct thread *waiter) {
	_Static_assert(offsetof(struct endpoint, head) == 0);
	return (struct endpoint *)waiter->waits_in;
}

// The sender is about to leave the queue.
static inline void endpoint_lose_sender(const struct thread *sender) {
	struct endpoint *endpoint = endpoint_of_waiter(sender);
	struct thread *next = sender->queue.next;

	if (likely(endpoint_cursor(endpoint) != sender)) return;
	endpoint_set_cursor(endpoint, next);
	if (next) next->cancelled_badge = sender->cancelled_badge;
}

// The sender is about to move in the queue: it may not pass a CancelBadgedSends that is for it.
static inline void endpoint_move_sender(const struct thread *sender) {
	struct endpoint *endpoint = endpoint_of_waiter(sender);
	const struct thread *cursor = endpoint_cursor(endpoint);

	if (cursor && cursor->cancelled_badge == sender->badge)
		endpoint_set_cursor(endpoint, NULL);
	else
		endpoint_lose_sender(sender);
}

// Cancels the wait of all senders with this badge (CAP-35). May be preempted.
[[nodiscard]] enum error endpoint_cancel_badged(struct endpoint *endpoint, uint64_t badge);
