// SPDX-License-Identifier: BSD-2-Clause
// Notification signal, wait, binding, and the context donated to a woken thread.
#include <ipc/notification.h>

#include <ipc/endpoint.h>
#include <sched/switch.h>

// Other cores read it, so it is not written in vain.
static void take(struct notification *notification) {
	uint64_t own = (uint64_t)this_cpu();

	if (notification->owner != own) notification->owner = own;
}

// A thread without context borrows the notification's, unless another thread uses it (NTF-10).
static void lend_context(struct notification *notification, struct thread *thread) {
	struct sched_context *context = notification->sched_context;

	if (context && !context->thread && !thread->sched_context)
		sched_context_donate(context, thread);
}

void notification_return_context(struct notification *notification, struct thread *thread) {
	struct sched_context *context = notification->sched_context;

	if (context && context == thread->sched_context) sched_context_unbind_thread(context);
}

bool notification_signal_is_own(const struct notification *notification, const struct cpu *cpu) {
	const struct thread *waiter = notification->head, *bound = notification->bound;

	if (!notification_is_own(notification, cpu)) return false;
	if (waiter || !bound) return !waiter || waiter->cpu == cpu;
	return bound->cpu == cpu &&
		(!notification_reaches_bound(notification) ||
			endpoint_of_waiter(bound)->owner == (uint64_t)cpu);
}

// A bound thread that is in the guest finds the signal before the guest runs again.
void notification_signal(struct notification *notification, uint64_t badge) {
	struct thread *waiter = notification->head;
	const struct thread *bound = notification->bound;

	take(notification);
	if (waiter) {
		wait_queue_take_first(&notification->head);
	} else if (notification_reaches_bound(notification)) {
		waiter = notification->bound;
		thread_unblock(waiter);
	} else {
		notification->is_active = true;
		notification->word |= badge;
		if (bound && bound->state == THREAD_IN_GUEST) core_request(bound->cpu);
		return;
	}
	*context_badge(&waiter->context) = badge;
	lend_context(notification, waiter);
	thread_wake(waiter);
}

void notification_signal_last(struct notification *notification, uint64_t badge) {
	struct thread *waiter = notification->head;

	if (!waiter || !waiter->sched_context) return notification_signal(notification, badge);
	wait_queue_take_first(&notification->head);
	*context_badge(&waiter->context) = badge;
	schedule_wake_last(waiter);
}

static void take_word(struct notification *notification, struct thread *thread) {
	*context_badge(&thread->context) = notification->word;
	notification->is_active = false;
	notification->word = 0;
	lend_context(notification, thread);
}

void notification_wait(
	struct notification *notification, struct thread *thread, enum send_block block) {
	take(notification);
	if (notification->is_active) {
		take_word(notification, thread);
	} else if (block == SEND_BLOCKING) {
		notification_return_context(notification, thread);
		thread_block(thread, THREAD_BLOCKED_NOTIFICATION, &notification->head);
	} else {
		*context_badge(&thread->context) = 0;
	}
}

bool notification_take_bound(struct thread *thread) {
	struct notification *notification = thread->notification;

	if (likely(!notification || !notification->is_active)) return false;
	take_word(notification, thread);
	return true;
}

void notification_unbind(struct notification *notification) {
	if (!notification->bound) return;
	notification->bound->notification = NULL;
	notification->bound = NULL;
}

void notification_destroy(struct slot *slot, bool last) {
	struct notification *notification = cap_object(&slot->cap);

	if (!last || slot_cancel_wait(slot, notification->head)) return;
	notification_unbind(notification);
	if (notification->sched_context)
		sched_context_unbind_notification(notification->sched_context);
}

void sched_context_unbind_notification(struct sched_context *context) {
	if (!context->notification) return;
	context->notification->sched_context = NULL;
	context->notification = NULL;
}
