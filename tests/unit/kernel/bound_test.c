// SPDX-License-Identifier: BSD-2-Clause
// How long the kernel takes does not grow with what programs have made: steps are counted where
// hundreds of threads wait, and where much time has passed.
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <cpu/percpu.h>
#include <ipc/fault.h>
#include <ipc/endpoint.h>
#include <ipc/irq.h>
#include <ipc/notification.h>
#include <sched/run_queue.h>
#include <sched/schedule.h>
#include <memory/space.h>
#include <check/check.h>
#include <sched/thread_queue.h>

enum {
	OBJECT = WORLD_FREE, // endpoint or notification
	BADGED, // a copy
	CONTEXTS,
	THREADS = CONTEXTS + 1024,
	COUNT = 600,
	ROOTS = 50, // of address spaces
	BADGE = 5,
	PREEMPTED_AFTER = 3, // preemption points
	STEPS_MAX = 1500, // of one system call, or up to where it is preempted
	SHORT_STEPS_MAX = 300, // of joining or leaving a queue
	LEVELS = 256,
	CONTEXT_BITS = 8,
};

static struct thread *thread_at(unsigned i) { return cap_thread(&world.slots[THREADS + i].cap); }

static struct sched_context *context_at(unsigned i) {
	return cap_object(&world.slots[CONTEXTS + i].cap);
}

static void make_many(enum object_type type, unsigned size_bits, unsigned slot) {
	for (unsigned made = 0; made < COUNT; made += 200)
		check(world_make(type, size_bits, slot + made, 200) == ERROR_NONE);
}

static void start(enum object_type type) {
	struct cap cap;

	world_boot();
	check(world_make(type, 0, OBJECT, 1) == ERROR_NONE);
	make_many(OBJECT_TCB, 0, THREADS);
	cap = world.slots[OBJECT].cap;
	cap.badge = BADGE;
	derive_insert_copy(&world.slots[BADGED], cap, &world.slots[OBJECT]);
}

static void check_steps(unsigned most) {
	uint64_t steps = steps_taken();

	check(steps > 0 && steps < most);
}

// Carries a call out to its end; each part of it is short.
static unsigned call_in_parts(const struct call *call) {
	unsigned stops = 0;
	enum error error;

	host.preempt_period = PREEMPTED_AFTER;
	do {
		host_core()->preempt_asked = 0;
		(void)steps_taken();
		error = world_call(call);
		check_steps(STEPS_MAX);
		stops++;
	} while (error == ERROR_PREEMPTED);
	check(error == ERROR_NONE);
	return stops;
}

static void fill_endpoint(void) {
	struct endpoint *endpoint = cap_object(&world.slots[OBJECT].cap);

	for (unsigned i = 0; i < COUNT; i++) {
		struct thread *thread = thread_at(i);

		thread->badge = i % 2 ? BADGE : 0;
		thread_block(thread, THREAD_BLOCKED_SEND, &endpoint->head);
	}
}

static unsigned count_waiting(void) {
	const struct endpoint *endpoint = cap_object(&world.slots[OBJECT].cap);
	unsigned count = 0;

	for (const struct thread *thread = endpoint->head; thread; thread = thread->queue.next)
		count++;
	return count;
}

static void cancel_in_parts(void) {
	const struct call cancel = {.slot = ROOT_SLOT_CNODE,
		.label = LABEL_CNODE_CANCEL_BADGED_SENDS,
		.length = 2,
		.words = {BADGED, 64}};

	start(OBJECT_ENDPOINT);
	fill_endpoint();
	check(call_in_parts(&cancel) >= COUNT / PREEMPTED_AFTER);
	check(count_waiting() == COUNT / 2);
	for (unsigned i = 0; i < COUNT; i++)
		check(thread_is_blocked(thread_at(i)) == (i % 2 == 0));
}

// While a call is stopped the sender where it would continue leaves or changes its place, and
// another call is made for another badge: all senders are found all the same.
static void cancel_disturbed(void) {
	struct endpoint *endpoint;
	unsigned rounds = 0;

	start(OBJECT_ENDPOINT);
	fill_endpoint();
	endpoint = cap_object(&world.slots[OBJECT].cap);
	host.preempt_period = 1;
	while (endpoint_cancel_badged(endpoint, BADGE) == ERROR_PREEMPTED) {
		struct thread *thread = endpoint_cursor(endpoint);

		check(thread && thread->state == THREAD_BLOCKED_SEND);
		check(rounds++ < 20 * COUNT);
		if (rounds % 50 == 0) thread_suspend(thread);
		if (rounds == 100) thread_set_priority(endpoint->head, 7);
		if (rounds == 200) check(endpoint_cancel_badged(endpoint, 77) == ERROR_PREEMPTED);
	}
	for (const struct thread *thread = endpoint->head; thread; thread = thread->queue.next)
		check(thread->badge == 0);
	check(count_waiting() > COUNT / 3 && !endpoint_cursor(endpoint));
}

static const struct call delete_object = {
	.slot = ROOT_SLOT_CNODE, .label = LABEL_CNODE_DELETE, .length = 2, .words = {OBJECT, 64}};

static const struct call delete_badged = {
	.slot = ROOT_SLOT_CNODE, .label = LABEL_CNODE_DELETE, .length = 2, .words = {BADGED, 64}};

static void delete_endpoint(void) {
	start(OBJECT_ENDPOINT);
	fill_endpoint();
	check(call_in_parts(&delete_badged) == 1);
	check(count_waiting() == COUNT);
	check(call_in_parts(&delete_object) >= COUNT / PREEMPTED_AFTER);
	check(slot_is_empty(&world.slots[OBJECT]));
	for (unsigned i = 0; i < COUNT; i++)
		check(thread_at(i)->state == THREAD_RESTART);
}

// What is left of it can neither be used nor keep the deletion from its end.
static void delete_stopped(void) {
	struct slot *slot;

	start(OBJECT_ENDPOINT);
	fill_endpoint();
	check(world_call(&delete_badged) == ERROR_NONE);
	slot = &world.slots[OBJECT];
	host.preempt_period = 1;
	check(world_call(&delete_object) == ERROR_PREEMPTED);
	check(slot->cap.type == CAP_ENDPOINT && slot->cap.rights == 0);
	check(count_waiting() == COUNT - 1);
	check(world_call_to_end(&delete_object) == ERROR_NONE && slot_is_empty(slot));
}

// Then it is not the last any more: it goes at once, and the copy has the rest to do.
static void delete_copied(void) {
	const struct endpoint *endpoint;
	struct slot *slot, *copy;

	start(OBJECT_ENDPOINT);
	fill_endpoint();
	check(world_call(&delete_badged) == ERROR_NONE);
	slot = &world.slots[OBJECT];
	copy = &world.slots[BADGED];
	endpoint = cap_object(&slot->cap);
	host.preempt_period = 1;
	check(world_call(&delete_object) == ERROR_PREEMPTED && slot->next & SLOT_UNFINISHED);
	derive_insert_copy(copy, slot->cap, slot);
	check(!(copy->next & SLOT_UNFINISHED));
	check(world_call(&delete_object) == ERROR_NONE && slot_is_empty(slot));
	check(endpoint->head);
	check(world_call_to_end(&delete_badged) == ERROR_NONE && slot_is_empty(copy));
	check(!endpoint->head);
}

static void delete_notification(void) {
	struct notification *notification;

	start(OBJECT_NOTIFICATION);
	notification = cap_object(&world.slots[OBJECT].cap);
	for (unsigned i = 0; i < COUNT; i++)
		thread_block(thread_at(i), THREAD_BLOCKED_NOTIFICATION, &notification->head);
	check(world_call(&delete_badged) == ERROR_NONE);
	check(call_in_parts(&delete_object) >= COUNT / PREEMPTED_AFTER);
	for (unsigned i = 0; i < COUNT; i++)
		check(thread_at(i)->state == THREAD_RESTART);
}

// The last capability to a notification is the interrupt's own.
static void drop_interrupt(void) {
	const struct call clear = {.slot = BADGED + 1, .label = LABEL_IRQ_HANDLER_CLEAR};
	static struct irq irq;
	struct notification *notification;

	start(OBJECT_NOTIFICATION);
	notification = cap_object(&world.slots[OBJECT].cap);
	derive_insert_original(&world.slots[BADGED + 1], cap_make(CAP_IRQ_HANDLER, &irq), NULL);
	derive_move(&irq.notification, &world.slots[OBJECT]);
	check(world_call(&delete_badged) == ERROR_NONE);
	for (unsigned i = 0; i < COUNT; i++)
		thread_block(thread_at(i), THREAD_BLOCKED_NOTIFICATION, &notification->head);
	check(call_in_parts(&clear) >= COUNT / PREEMPTED_AFTER);
	check(slot_is_empty(&irq.notification) && !notification->head);
}

static void delete_pool(void) {
	struct cap pool;

	world_boot();
	check(world_make(OBJECT_PAGE, 0, BADGED, 1) == ERROR_NONE);
	check(world_make(OBJECT_PML4, 0, THREADS, ROOTS) == ERROR_NONE);
	pool = asid_pool_install(cap_object(&world.slots[BADGED].cap));
	derive_insert_original(&world.slots[OBJECT], pool, NULL);
	for (unsigned i = 0; i < ROOTS; i++)
		check(asid_pool_give(&pool, &world.slots[THREADS + i].cap));
	check(call_in_parts(&delete_object) >= ROOTS / PREEMPTED_AFTER);
	for (unsigned i = 0; i < ROOTS; i++)
		check(!space_word_of_asid(world.slots[THREADS + i].cap.map.asid & 0xfff));
}

// The queue as its definition has it: by priority, then by arrival.
static void check_queue(struct thread *head, unsigned long *arrivals) {
	unsigned long last = 0;
	unsigned priority = LEVELS;

	for (const struct thread *thread = head; thread; thread = thread->queue.next) {
		unsigned i = 0;

		while (thread_at(i) != thread)
			i++;
		check(thread->priority <= priority);
		if (thread->priority == priority) check(arrivals[i] > last);
		priority = thread->priority;
		last = arrivals[i];
	}
}

static void wait_queues(void) {
	static unsigned long arrivals[COUNT];
	struct endpoint *endpoint;
	unsigned long now = 0;

	start(OBJECT_ENDPOINT);
	endpoint = cap_object(&world.slots[OBJECT].cap);
	for (unsigned round = 0; round < 6000; round++) {
		unsigned i = random_below(round % 1000 < 500 ? 20 : COUNT);
		struct thread *thread = thread_at(i);

		if (arrivals[i] && random_below(3) == 0) {
			thread_set_priority(thread, random_below(5));
			arrivals[i] = ++now;
		} else if (arrivals[i]) {
			if (thread == endpoint->head)
				wait_queue_take_first(&endpoint->head);
			else
				thread_unblock(thread);
			thread->state = THREAD_INACTIVE;
			arrivals[i] = 0;
		} else {
			thread_set_priority(thread, random_below(5));
			thread_block(thread, THREAD_BLOCKED_RECEIVE, &endpoint->head);
			arrivals[i] = ++now;
		}
		if (round % 16 == 0) check_queue(endpoint->head, arrivals);
	}
}

// Each joins where hundreds wait, of a few priorities.
static void join_queue(void) {
	struct endpoint *endpoint;

	start(OBJECT_ENDPOINT);
	endpoint = cap_object(&world.slots[OBJECT].cap);
	for (unsigned i = 0; i < COUNT; i++) {
		struct thread *thread = thread_at(i);

		thread_set_priority(thread, i % 8);
		(void)steps_taken();
		thread_block(thread, THREAD_BLOCKED_RECEIVE, &endpoint->head);
		check_steps(SHORT_STEPS_MAX);
	}
	check_everything();
	(void)steps_taken();
	thread_set_priority(thread_at(1), LEVELS - 1);
	check_steps(SHORT_STEPS_MAX);
	check(endpoint->head == thread_at(1));
}

static void start_contexts(void) {
	const struct refill_queue parameters = {.budget = 50000, .period = 1000000, .maximum = 2};

	start(OBJECT_ENDPOINT);
	make_many(OBJECT_SCHED_CONTEXT, CONTEXT_BITS, CONTEXTS);
	for (unsigned i = 0; i < COUNT; i++)
		refill_start(context_at(i), &parameters, host.now);
}

static void release_at(unsigned i, uint64_t time) {
	struct thread *thread = thread_at(i);

	refill_head(context_at(i))->time = time;
	if (!thread->sched_context) sched_context_donate(context_at(i), thread);
	thread->state = THREAD_RUNNING;
	(void)steps_taken();
	release_insert(thread);
	check_steps(SHORT_STEPS_MAX);
}

// In the order of time whatever the order they came in, and however many left in between.
static void release_queue(void) {
	uint64_t last = 0;

	start_contexts();
	for (unsigned round = 0; round < 5000; round++) {
		unsigned i = random_below(COUNT);

		if (thread_at(i)->is_released) {
			(void)steps_taken();
			release_remove(thread_at(i));
			check_steps(SHORT_STEPS_MAX);
		} else {
			release_at(i, random_below(1000000));
		}
		if (round % 64 == 0) run_queue_check();
	}
	while (this_cpu()->scheduler.release) {
		struct thread *thread = this_cpu()->scheduler.release;

		check(release_time(thread) >= last);
		last = release_time(thread);
		release_remove(thread);
	}
}

static void release_sorted(void) {
	start_contexts();
	for (unsigned i = 0; i < COUNT; i++)
		release_at(i, i % 2 ? i : 10 * COUNT - i);
	run_queue_check();
}

// All are due in one moment: the kernel takes some, and the timer comes again for the others.
static void release_all(void) {
	unsigned entries = 0;

	start_contexts();
	for (unsigned i = 0; i < COUNT; i++)
		release_at(i, host.now + 1000);
	schedule_update_time();
	(void)schedule();
	host.now += 2000;
	while (this_cpu()->scheduler.release) {
		check(host_core()->deadline <= host.now);
		host_core()->deadline = UINT64_MAX;
		schedule_update_time();
		(void)budget_is_left();
		(void)steps_taken();
		(void)schedule();
		check_steps(4 * STEPS_MAX);
		check(entries++ < COUNT);
	}
	for (unsigned i = 0; i < COUNT; i++)
		check(thread_at(i)->is_queued || thread_at(i) == this_cpu()->current);
}

static const struct test rows[] = {
	{"BOUND001", "CancelBadgedSends stops and continues", cancel_in_parts},
	{"BOUND002", "whatever happens to the queue meanwhile it finds all", cancel_disturbed},
	{"BOUND003", "the deletion of an endpoint stops and continues", delete_endpoint},
	{"BOUND004", "an endpoint that is being deleted cannot be used", delete_stopped},
	{"BOUND005", "the deletion of a notification stops and continues", delete_notification},
	{"BOUND006", "so does an interrupt that gives up the last capability", drop_interrupt},
	{"BOUND007", "queues are sorted by priority and arrival", wait_queues},
	{"BOUND008", "joining a queue takes no longer when many wait", join_queue},
	{"BOUND009", "threads are released in the order of time", release_queue},
	{"BOUND010", "waiting for time takes no longer when many wait", release_sorted},
	{"BOUND011", "threads that are due together are released in parts", release_all},
	{"BOUND012", "the deletion of an ASID pool stops and continues", delete_pool},
	{"BOUND013", "a stopped deletion ends at once where a copy came", delete_copied},
};

TESTS(bound_tests);
