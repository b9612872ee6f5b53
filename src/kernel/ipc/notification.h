// SPDX-License-Identifier: BSD-2-Clause
// Notifications: a word of signals (NTF-1 to NTF-12).
#pragma once

#include <ipc/wait.h>

struct notification {
	uint64_t is_active; // signalled and not taken; then no thread waits
	uint64_t word; // 0 unless active
	struct thread *head; // waiting threads
	struct thread *bound;
	struct sched_context *sched_context;
	uint64_t owner; // the core whose fast paths use it, as of an endpoint
};

_Static_assert(sizeof(struct notification) <= 1 << NOTIFICATION_BITS);

// Whether a signal reaches the bound thread in its present state. No thread waits.
static inline bool notification_reaches_bound(const struct notification *notification) {
	const struct thread *bound = notification->bound;

	return bound && !notification->is_active && bound->state == THREAD_BLOCKED_RECEIVE;
}

// This core is inside: a wait, or a signal, reaches only what belongs to it.
[[nodiscard]] static inline bool notification_is_own(
	const struct notification *notification, const struct cpu *cpu) {
	return notification->owner == (uint64_t)cpu && !notification->sched_context;
}

[[nodiscard]] bool notification_signal_is_own(
	const struct notification *notification, const struct cpu *cpu);

void notification_signal(struct notification *notification, uint64_t badge);

// The same as the last thing of a kernel entry (schedule_wake_last).
void notification_signal_last(struct notification *notification, uint64_t badge);

// Waits for a signal, or polls; the badge register gets the word.
void notification_wait(
	struct notification *notification, struct thread *thread, enum send_block block);

// thread is about to receive on an endpoint: takes a pending signal of its bound notification.
// True if there was one; the receive is then over.
[[nodiscard]] bool notification_take_bound(struct thread *thread);

// A thread that will block (or receive) gives back a context borrowed from notification.
void notification_return_context(struct notification *notification, struct thread *thread);

void notification_unbind(struct notification *notification);

void sched_context_unbind_notification(struct sched_context *context);
