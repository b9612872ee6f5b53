// SPDX-License-Identifier: BSD-2-Clause
// Notification signal, wait, binding, and the context lent to whoever is woken.
#include <kernel/notification.h>

#include <kernel/guest_hooks.h>
#include <kernel/message.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/thread_queue.h>

void notification_dequeue(struct thread *thread) {
	struct notification *notification = thread->blocked_on;

	thread_queue_remove(&notification->head, thread);
	thread->blocked_on = NULL;
	if (!notification->head) notification->state = NOTIFICATION_IDLE;
}

void notification_requeue(struct thread *thread) {
	struct notification *notification = thread->blocked_on;

	thread_queue_remove(&notification->head, thread);
	thread_queue_insert_by_priority(&notification->head, thread);
}

// A thread without context borrows the notification's, if nobody else uses it (E8).
static void lend_context(struct notification *notification, struct thread *thread) {
	struct sched_context *context = notification->sched_context;

	if (context && !context->thread && !thread->sched_context)
		sched_context_donate(context, thread);
}

void notification_return_context(struct notification *notification, struct thread *thread) {
	struct sched_context *context = notification->sched_context;

	if (context && context == thread->sched_context) sched_context_unbind_thread(context);
}

static void deliver(struct notification *notification, struct thread *thread, uint64_t badge) {
	*context_badge(&thread->context) = badge;
	lend_context(notification, thread);
	thread_wake(thread);
}

// True if the bound thread waits where a signal may reach it, and got it.
static bool deliver_to_bound(struct notification *notification, uint64_t badge) {
	struct thread *bound = notification->bound;

	if (!bound) return false;
	if (bound->state == THREAD_BLOCKED_RECEIVE) {
		thread_cancel_ipc(bound);
	} else if (bound->state == THREAD_IN_GUEST) {
		guest_hooks.notify(bound);
	} else {
		return false;
	}
	deliver(notification, bound, badge);
	return true;
}

void notification_signal(struct notification *notification, uint64_t badge) {
	struct thread *waiter = notification->head;

	if (notification->state == NOTIFICATION_WAITING) {
		notification_dequeue(waiter);
		deliver(notification, waiter, badge);
	} else if (notification->state == NOTIFICATION_ACTIVE) {
		notification->word |= badge;
	} else if (!deliver_to_bound(notification, badge)) {
		notification->state = NOTIFICATION_ACTIVE;
		notification->word = badge;
	}
}

static void take_word(struct notification *notification, struct thread *thread) {
	*context_badge(&thread->context) = notification->word;
	notification->state = NOTIFICATION_IDLE;
	lend_context(notification, thread);
}

void notification_wait(
	struct notification *notification, struct thread *thread, enum send_block block) {
	if (notification->state == NOTIFICATION_ACTIVE) {
		take_word(notification, thread);
	} else if (block == SEND_BLOCKING) {
		notification_return_context(notification, thread);
		thread->state = THREAD_BLOCKED_NOTIFICATION;
		thread->blocked_on = notification;
		notification->state = NOTIFICATION_WAITING;
		thread_queue_insert_by_priority(&notification->head, thread);
	} else {
		*context_badge(&thread->context) = 0;
	}
}

bool notification_take_bound(struct thread *thread) {
	struct notification *notification = thread->notification;

	if (!notification || notification->state != NOTIFICATION_ACTIVE) return false;
	take_word(notification, thread);
	return true;
}

void notification_cancel_all(struct notification *notification) {
	while (notification->head) {
		struct thread *thread = notification->head;

		thread_cancel_ipc(thread);
		thread_restart(thread);
	}
}

void notification_bind(struct notification *notification, struct thread *thread) {
	notification->bound = thread;
	thread->notification = notification;
}

void notification_unbind(struct notification *notification) {
	if (!notification->bound) return;
	notification->bound->notification = NULL;
	notification->bound = NULL;
}
