// SPDX-License-Identifier: BSD-2-Clause
// Endpoint send, receive and cancellation.
#include <ipc/endpoint.h>

#include <cap/invocation.h>
#include <cpu/apic.h>
#include <ipc/notification.h>
#include <ipc/reply.h>
#include <ipc/transfer.h>

// The first waiting thread, if it waits in this state.
static struct thread *first_in(const struct endpoint *endpoint, enum thread_state state) {
	return endpoint->head && endpoint->head->state == state ? endpoint->head : NULL;
}

static void take(struct endpoint *endpoint) {
	uint64_t own = (uint64_t)this_cpu();

	if (endpoint->owner != own && !endpoint_cursor(endpoint)) endpoint->owner = own;
}

// The message has been copied: the sender waits for its reply, stops, or was a plain sender. True
// in the last case. With MESSAGE_DONATE a receiver without context gets the sender's, for a call
// until the reply.
static inline bool sender_is_free(
	struct thread *sender, struct thread *receiver, struct reply *reply, unsigned flags) {
	struct sched_context *context = sender->sched_context;
	bool calls = flags & MESSAGE_CALL;
	bool donates = flags & MESSAGE_DONATE && context && !receiver->sched_context;

	if (calls && (!reply || !(flags & (MESSAGE_GRANT | MESSAGE_GRANT_REPLY)))) {
		// No thread could reply (IPC-4).
		reply_release(reply, receiver);
		sender->state_and_fault = THREAD_INACTIVE;
		return false;
	}
	if (calls)
		reply_wait(reply, sender);
	else
		reply_release(reply, receiver);
	if (calls && donates) reply_chain(reply, context);
	if (donates) sched_context_donate(context, receiver);
	return !calls;
}

void endpoint_send(const struct cap *cap, struct thread *sender, unsigned flags) {
	struct endpoint *endpoint = cap_object(cap);
	struct thread *receiver = first_in(endpoint, THREAD_BLOCKED_RECEIVE);
	struct reply *reply;

	take(endpoint);
	flags |= cap->rights & RIGHT_GRANT ? MESSAGE_GRANT : 0;
	flags |= cap->rights & RIGHT_GRANT_REPLY ? MESSAGE_GRANT_REPLY : 0;
	if (!receiver) {
		if (flags & MESSAGE_NONBLOCKING) return;
		sender->badge = cap->badge;
		sender->message_flags = (uint8_t)flags;
		return thread_block(sender, THREAD_BLOCKED_SEND, &endpoint->head);
	}
	reply = receiver->reply;
	receiver->reply = NULL; // the object is not free before its next use is known
	thread_unblock(receiver);
	message_transfer(sender, receiver, endpoint, cap->badge, flags);
	(void)sender_is_free(sender, receiver, reply, flags);
	thread_wake(receiver);
}

void endpoint_receive(struct endpoint *endpoint, struct thread *receiver, struct reply *reply,
	enum send_block block) {
	struct thread *sender = first_in(endpoint, THREAD_BLOCKED_SEND);

	take(endpoint);
	if (reply && reply_thread(reply)) thread_cancel_ipc(reply_thread(reply));
	if (notification_take_bound(receiver)) return reply_release(reply, receiver);
	if (block == SEND_BLOCKING && receiver->notification)
		notification_return_context(receiver->notification, receiver);

	if (sender) {
		unsigned flags = sender->message_flags;

		thread_unblock(sender);
		message_transfer(sender, receiver, endpoint, sender->badge, flags);
		if (sender_is_free(sender, receiver, reply, flags)) thread_wake(sender);
	} else if (block == SEND_BLOCKING) {
		receiver->reply = reply;
		if (reply) reply_set(reply, receiver);
		thread_block(receiver, THREAD_BLOCKED_RECEIVE, &endpoint->head);
	} else {
		*context_badge(&receiver->context) = 0;
	}
}

void endpoint_destroy(struct slot *slot, bool last) {
	const struct endpoint *endpoint = cap_object(&slot->cap);

	if (last) (void)slot_cancel_wait(slot, endpoint->head);
}

// A preempted call continues after the senders it has seen; later senders are not affected. If
// another call for another badge came between, it starts again.
enum error endpoint_cancel_badged(struct endpoint *endpoint, uint64_t badge) {
	struct thread *thread = endpoint_cursor(endpoint);

	if (!thread || thread->cancelled_badge != badge)
		thread = first_in(endpoint, THREAD_BLOCKED_SEND);
	while (thread) {
		struct thread *next = thread->queue.next;

		if (thread->badge == badge) thread_cancel_wait(thread);
		thread = next;
		if (thread && preempt_wanted()) {
			thread->cancelled_badge = badge;
			endpoint_set_cursor(endpoint, thread);
			return ERROR_PREEMPTED;
		}
	}
	endpoint_set_cursor(endpoint, NULL);
	return ERROR_NONE;
}

enum error cnode_cancel_badged_sends(struct invocation *invocation) {
	struct slot *slot;
	enum error error = invocation_slot(
		invocation, LOOKUP_TARGET, &invocation->slot->cap, 0, &slot);

	if (error) return error;
	if (slot->cap.type != CAP_ENDPOINT || slot->cap.rights != RIGHTS_ALL)
		return ERROR_ILLEGAL_OPERATION;
	if (slot->cap.badge == 0) return ERROR_NONE;
	return endpoint_cancel_badged(cap_object(&slot->cap), slot->cap.badge);
}
