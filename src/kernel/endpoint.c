// SPDX-License-Identifier: BSD-2-Clause
// Endpoint send, receive and cancellation.
#include <kernel/endpoint.h>

#include <kernel/message.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/thread_queue.h>

void endpoint_dequeue(struct thread *thread) {
	struct endpoint *endpoint = thread->blocked_on;

	thread_queue_remove(&endpoint->head, thread);
	thread->blocked_on = NULL;
	if (thread->state == THREAD_BLOCKED_RECEIVE && thread->reply) {
		thread->reply->thread = NULL;
		thread->reply = NULL;
	}
}

void endpoint_requeue(struct thread *thread) {
	struct endpoint *endpoint = thread->blocked_on;

	thread_queue_remove(&endpoint->head, thread);
	thread_queue_insert_by_priority(&endpoint->head, thread);
}

static void block_on(struct endpoint *endpoint, struct thread *thread, enum thread_state state) {
	thread->state = (uint8_t)state;
	thread->blocked_on = endpoint;
	endpoint->receiving = state == THREAD_BLOCKED_RECEIVE;
	thread_queue_insert_by_priority(&endpoint->head, thread);
}

// The message has been copied: the sender waits for its reply, stops, or was a plain sender. True
// in the last case.
static bool sender_is_free(
	struct thread *sender, struct thread *receiver, struct reply *reply, unsigned flags) {
	if (!(flags & MESSAGE_CALL)) return true;
	if (reply && flags & (MESSAGE_GRANT | MESSAGE_GRANT_REPLY)) {
		reply_push(reply, sender, receiver,
			flags & MESSAGE_DONATE ? REPLY_DONATES_TIME : REPLY_KEEPS_TIME);
	} else {
		// Nobody can answer (D4).
		sender->state = THREAD_INACTIVE;
		sender->fault.kind = FAULT_NONE;
	}
	return false;
}

static void transfer_from(struct endpoint *endpoint, struct thread *sender, struct thread *receiver,
	const struct send *send) {
	message_transfer(sender, receiver,
		&(struct transfer){.endpoint = endpoint,
			.badge = send->badge,
			.can_grant = send->flags & MESSAGE_GRANT});
}

void endpoint_send(struct endpoint *endpoint, struct thread *sender, const struct send *send) {
	struct thread *receiver = endpoint->head;
	struct reply *reply;

	if (!receiver || !endpoint->receiving) {
		if (send->block == SEND_NONBLOCKING) return;
		sender->badge = send->badge;
		sender->message_flags = send->flags;
		block_on(endpoint, sender, THREAD_BLOCKED_SEND);
		return;
	}
	reply = receiver->reply;
	endpoint_dequeue(receiver);
	transfer_from(endpoint, sender, receiver, send);
	if (sender_is_free(sender, receiver, reply, send->flags) && send->flags & MESSAGE_DONATE &&
		sender->sched_context && !receiver->sched_context)
		sched_context_donate(sender->sched_context, receiver);
	thread_wake(receiver);
}

static void receive_from(struct endpoint *endpoint, struct thread *receiver, struct reply *reply) {
	struct thread *sender = endpoint->head;
	struct send send = {.badge = sender->badge, .flags = sender->message_flags};

	endpoint_dequeue(sender);
	transfer_from(endpoint, sender, receiver, &send);
	if (sender_is_free(sender, receiver, reply, send.flags)) thread_wake(sender);
}

void endpoint_receive(struct endpoint *endpoint, struct thread *receiver, struct reply *reply,
	enum send_block block) {
	if (reply && reply->thread && reply->thread != receiver) reply_clear(reply);
	if (notification_take_bound(receiver)) return;
	if (block == SEND_BLOCKING && receiver->notification)
		notification_return_context(receiver->notification, receiver);

	if (endpoint->head && !endpoint->receiving) {
		receive_from(endpoint, receiver, reply);
	} else if (block == SEND_BLOCKING) {
		receiver->reply = reply;
		if (reply) reply->thread = receiver;
		block_on(endpoint, receiver, THREAD_BLOCKED_RECEIVE);
	} else {
		*context_badge(&receiver->context) = 0;
	}
}

// A cancelled system call is executed again; a cancelled fault message leaves its thread inactive.
static void cancel_wait(struct thread *thread) {
	bool has_fault = thread->fault.kind != FAULT_NONE;

	thread_cancel_ipc(thread);
	if (!has_fault) thread_restart(thread);
}

void endpoint_cancel_all(struct endpoint *endpoint) {
	while (endpoint->head)
		cancel_wait(endpoint->head);
}

void endpoint_cancel_badged(struct endpoint *endpoint, uint64_t badge) {
	struct thread *thread = endpoint->receiving ? NULL : endpoint->head;

	while (thread) {
		struct thread *next = thread->queue.next;

		if (thread->badge == badge) cancel_wait(thread);
		thread = next;
	}
}
