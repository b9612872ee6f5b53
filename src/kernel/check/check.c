// SPDX-License-Identifier: BSD-2-Clause
// Invariants of threads, queues, reply chains, scheduling contexts and the derivation order.
#include <check/check.h>

#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <ipc/reply.h>
#include <memory/space.h>
#include <sched/schedule.h>

enum { CALLS_PER_WALK = 256 };

// Everything this object points to points back.
#define check_link(object, to, back) assert(!(object)->to || (object)->to->back == (object))

static void check_refills(const struct sched_context *context) {
	const struct refill_queue *queue = &context->refills;
	uint64_t sum = 0, end = 0;

	assert(queue->head < queue->maximum && queue->count >= 1 && queue->count <= queue->maximum);
	for (unsigned i = 0; i < queue->count; i++) {
		const struct refill *refill = &context->refill[(queue->head + i) % queue->maximum];

		assert(end <= refill->time);
		end = refill->time + refill->amount;
		sum += refill->amount;
	}
	// Round robin forgets what was used until the turn ends.
	assert(sum == queue->budget || (queue->budget == queue->period && sum < queue->budget));
	assert(context->refill[queue->head].amount >= MINIMUM_BUDGET_US * clock_ticks_per_us());
}

static void check_sched_context(const struct sched_context *context) {
	check_link(context, thread, sched_context);
	check_link(context, notification, sched_context);
	check_link(context, yield_from, yielding_to);
	check_link(context, reply, head);
	if (sched_context_is_active(context)) check_refills(context);
}

static void check_reply(const struct reply *reply) {
	const struct thread *thread = reply->thread;
	bool is_called = thread && thread->state == THREAD_BLOCKED_REPLY;

	check_link(reply, older, newer);
	check_link(reply, newer, older);
	check_link(reply, head, reply);
	check_link(reply, thread, reply);
	assert(!reply->newer || !reply->head);
	assert(is_called || !thread || thread->state == THREAD_BLOCKED_RECEIVE);
	assert(is_called || (!reply->older && !reply->newer && !reply->head));
}

// The ends of a level of several threads point to each other.
static void check_level(const struct thread *thread, const struct thread *before) {
	const struct thread *next = thread->queue.next;
	bool is_first = !before || before->priority != thread->priority;
	bool is_last = !next || next->priority != thread->priority;

	assert(is_first == is_last || thread->partner->partner == thread);
}

static void check_queue(struct thread *const *head, unsigned states) {
	for (const struct thread *thread = *head; thread; thread = thread->queue.next) {
		const struct thread *next = thread->queue.next ? thread->queue.next : *head;

		assert(states >> thread->state & 1 && thread->waits_in == head);
		assert(next->queue.previous == thread && next->state == thread->state);
		assert(next == *head || thread->priority >= next->priority);
		check_level(thread, thread == *head ? NULL : thread->queue.previous);
	}
}

static void check_notification(const struct notification *notification) {
	check_queue(&notification->head, 1u << THREAD_BLOCKED_NOTIFICATION);
	assert(notification->is_active ? !notification->head : !notification->word);
	check_link(notification, bound, notification);
	check_link(notification, sched_context, notification);
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

// A thread's space is loaded without a check, and so is its guest's.
static void check_space(const struct slot *slot, enum space_format format) {
	assert(slot_is_empty(slot) || space_is_assigned(&slot->cap, format));
}

static void check_thread(const struct thread *thread) {
	bool is_waiting = thread_is_blocked(thread) && thread->state != THREAD_BLOCKED_REPLY;

	assert(thread->state <= THREAD_IDLE && !(thread->is_queued && thread->is_released));
	assert(!(thread->is_queued || thread->is_released) ||
		(thread_is_runnable(thread) && thread->sched_context));
	// A thread that could run is where the scheduler finds it.
	assert(thread->is_queued || !thread_is_schedulable(thread) ||
		thread == thread->cpu->current || thread == thread->cpu->candidate);
	assert(!is_waiting || (*thread->waits_in && (*thread->waits_in)->state == thread->state));
	assert(thread->state != THREAD_BLOCKED_REPLY || thread->reply);
	check_link(thread, sched_context, thread);
	check_link(thread, reply, thread);
	check_link(thread, notification, bound);
	check_link(thread, yielding_to, yield_from);
	assert(!thread->cache.count ||
		cspace_find(&thread->slots[THREAD_CSPACE].cap, thread->cache.prefix) ==
			thread->cache.slots);
	check_slots(thread->slots, THREAD_SLOTS);
	check_space(&thread->slots[THREAD_SPACE], SPACE_HOST);
	check_space(&thread->slots[THREAD_GUEST_SPACE], SPACE_GUEST);
}

static void check_object(const struct cap *cap) {
	const unsigned on_endpoint = 1u << THREAD_BLOCKED_SEND | 1u << THREAD_BLOCKED_RECEIVE;
	const void *object = cap_object(cap);

	switch (cap->type) {
	case CAP_ENDPOINT:
		check_queue(&((const struct endpoint *)object)->head, on_endpoint);
		break;
	case CAP_NOTIFICATION: check_notification(object); break;
	case CAP_REPLY: check_reply(object); break;
	case CAP_CNODE: check_slots(object, cnode_slot_count(cap)); break;
	case CAP_THREAD: check_thread(object); break;
	case CAP_SCHED_CONTEXT: check_sched_context(object); break;
	}
}

// A whole derivation order, from one of its slots.
static void visit_order(const struct slot *slot, void (*visit)(const struct cap *cap)) {
	while (slot->previous)
		slot = slot->previous;
	for (; slot; slot = slot_next(slot)) {
		assert(!slot_is_empty(slot));
		check_slot(slot);
		// The slots of an object are neighbours: once is enough.
		if (!slot->previous || slot->previous->cap.object != slot->cap.object)
			visit(&slot->cap);
	}
}

void objects_visit(void (*visit)(const struct cap *cap)) {
	const struct cap *root = &this_cpu()->current->slots[THREAD_CSPACE].cap;
	const struct slot *slots = cap_object(root);

	for (uint64_t i = 0; root->type == CAP_CNODE && i < cnode_slot_count(root); i++)
		if (!slot_is_empty(&slots[i]) && !slots[i].previous) visit_order(&slots[i], visit);
}

void check_everything(void) {
	const struct slot *root = &this_cpu()->current->slots[THREAD_CSPACE];

	run_queue_check();
	if (root->cap.type == CAP_CNODE) visit_order(root, check_object);
	objects_visit(check_object);
}

void check_current(void) {
	struct cpu *cpu = this_cpu();
	const struct thread *thread = cpu->current;

	check_thread(thread);
	if (thread->sched_context) check_sched_context(thread->sched_context);
	if (++cpu->checks % CALLS_PER_WALK == 0) check_everything();
}
