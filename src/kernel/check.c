// SPDX-License-Identifier: BSD-2-Clause
// Invariants of threads, queues, reply chains, scheduling contexts and the derivation order.
#include <kernel/check.h>

#include <base/panic.h>
#include <cpu/clock.h>
#include <kernel/derive.h>
#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>

enum { CALLS_PER_WALK = 256 };

static void check_refills(const struct sched_context *context) {
	const struct refill_queue *queue = &context->refills;
	uint64_t sum = 0;

	assert(queue->head < queue->maximum && queue->count >= 1 && queue->count <= queue->maximum);
	for (unsigned i = 0; i < queue->count; i++) {
		const struct refill *refill = &context->refill[(queue->head + i) % queue->maximum];
		const struct refill *next = &context->refill[(queue->head + i + 1) % queue->maximum];

		assert(i + 1 == queue->count || refill->time + refill->amount <= next->time);
		sum += refill->amount;
	}
	// Round robin forgets what was used until the turn ends.
	assert(sum == queue->budget || (queue->budget == queue->period && sum < queue->budget));
	assert(context->refill[queue->head].amount >= MINIMUM_BUDGET_US * clock_ticks_per_us());
}

static void check_sched_context(const void *object) {
	const struct sched_context *context = object;
	const struct reply *reply = context->reply;

	assert(!context->thread || context->thread->sched_context == context);
	assert(!context->notification || context->notification->sched_context == context);
	assert(!context->yield_from || context->yield_from->yielding_to == context);
	assert(!reply || (reply->head == context && !reply->newer));
	if (sched_context_is_active(context)) check_refills(context);
}

static void check_reply(const void *object) {
	const struct reply *reply = object;
	const struct thread *thread = reply->thread;

	assert(!reply->older || reply->older->newer == reply);
	assert(!reply->newer || (reply->newer->older == reply && !reply->head));
	assert(!reply->head || reply->head->reply == reply);
	if (thread && thread->state == THREAD_BLOCKED_REPLY) {
		assert(thread->reply == reply);
	} else {
		assert(!reply->older && !reply->newer && !reply->head);
		assert(!thread || (thread->reply == reply && thread->state == THREAD_BLOCKED_RECEIVE));
	}
}

static void check_queue(struct thread *const *head, unsigned states) {
	const struct thread *before = NULL;

	for (const struct thread *thread = *head; thread; thread = thread->queue.next) {
		assert(states >> thread->state & 1 && thread->waits_in == head);
		assert(!before || (thread->queue.previous == before &&
			before->state == thread->state && before->priority >= thread->priority));
		before = thread;
	}
	assert(!before || (*head)->queue.previous == before);
}

static void check_endpoint(const void *object) {
	const struct endpoint *endpoint = object;

	check_queue(&endpoint->head, 1u << THREAD_BLOCKED_SEND | 1u << THREAD_BLOCKED_RECEIVE);
}

static void check_notification(const void *object) {
	const struct notification *notification = object;

	check_queue(&notification->head, 1u << THREAD_BLOCKED_NOTIFICATION);
	assert(!notification->is_active || !notification->head);
	assert(notification->is_active || !notification->word);
	assert(!notification->bound || notification->bound->notification == notification);
	assert(!notification->sched_context ||
		notification->sched_context->notification == notification);
}

static void check_thread(const struct thread *thread) {
	bool waits = thread->state == THREAD_BLOCKED_SEND ||
		thread->state == THREAD_BLOCKED_RECEIVE ||
		thread->state == THREAD_BLOCKED_NOTIFICATION;

	assert(thread->state <= THREAD_IDLE && !(thread->is_queued && thread->is_released));
	assert(!(thread->is_queued || thread->is_released) ||
		(thread_is_runnable(thread) && thread->sched_context));
	// One that could run is somewhere the scheduler finds it.
	assert(thread->is_queued || !thread_is_schedulable(thread) || thread == this_cpu()->current);
	assert(!waits || (*thread->waits_in && (*thread->waits_in)->state == thread->state));
	assert(thread->state != THREAD_BLOCKED_REPLY ||
		(thread->reply && thread->reply->thread == thread));
	assert(!thread->sched_context || thread->sched_context->thread == thread);
	assert(!thread->notification || thread->notification->bound == thread);
	assert(!thread->yielding_to || thread->yielding_to->yield_from == thread);
}

static void check_slot(const struct slot *slot) {
	const struct slot *next = slot_next(slot);
	uint64_t offset;

	assert(slot->cap.type < CAP_TYPES);
	assert(!slot_is_empty(slot) || (!slot->previous && !slot->next && !slot->cap.head));
	assert(!slot->previous || slot_next(slot->previous) == slot);
	if (!next) return;
	assert(next->previous == slot);
	offset = (uint64_t)next->cap.object - (uint64_t)slot->cap.object;
	assert(slot->cap.type != CAP_UNTYPED || !derive_is_parent(slot, next) ||
		offset >> UNTYPED_MIN_BITS < slot->cap.untyped.watermark);
}

static void check_slots(const struct slot *slots, uint64_t count) {
	for (uint64_t i = 0; i < count; i++)
		check_slot(&slots[i]);
}

static void check_object(const struct cap *cap) {
	static void (*const checks[CAP_TYPES])(const void *object) = {
		[CAP_ENDPOINT] = check_endpoint,
		[CAP_NOTIFICATION] = check_notification,
		[CAP_REPLY] = check_reply,
		[CAP_SCHED_CONTEXT] = check_sched_context,
	};

	if (checks[cap->type]) checks[cap->type](cap_object(cap));
	if (cap->type == CAP_CNODE) check_slots(cap_object(cap), cnode_slot_count(cap));
	if (cap->type == CAP_THREAD) {
		check_slots(cap_thread(cap)->slots, THREAD_SLOTS);
		check_thread(cap_thread(cap));
	}
}

// A whole derivation order, from one of its slots.
static void check_order(const struct slot *slot) {
	while (slot->previous)
		slot = slot->previous;
	for (; slot; slot = slot_next(slot)) {
		assert(!slot_is_empty(slot));
		check_slot(slot);
		// The slots of an object are neighbours: once is enough.
		if (!slot->previous || slot->previous->cap.object != slot->cap.object)
			check_object(&slot->cap);
	}
}

void check_current(void) {
	const struct thread *thread = this_cpu()->current;

	check_thread(thread);
	if (thread->sched_context) check_sched_context(thread->sched_context);
	check_slots(thread->slots, THREAD_SLOTS);
}

void check_everything(void) {
	const struct slot *root = &this_cpu()->current->slots[THREAD_CSPACE];
	const struct slot *slots = cap_object(&root->cap);

	schedule_check();
	if (root->cap.type != CAP_CNODE) return;
	check_order(root);
	for (uint64_t i = 0; i < cnode_slot_count(&root->cap); i++)
		if (!slot_is_empty(&slots[i]) && !slots[i].previous) check_order(&slots[i]);
}

void check_after_call(void) {
	static unsigned calls; // written here only

	if (!NACRE_DEBUG) return;
	check_current();
	if (++calls % CALLS_PER_WALK == 0) check_everything();
}
