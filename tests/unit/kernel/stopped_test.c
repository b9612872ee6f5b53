// SPDX-License-Identifier: BSD-2-Clause
// What other threads may do to a capability, or to its object, while its deletion is stopped.
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <ipc/endpoint.h>
#include <ipc/irq.h>
#include <ipc/notification.h>
#include <memory/space.h>

enum {
	OBJECT = WORLD_FREE,
	OTHER,
	HANDLER,
	THREADS,
	COUNT = 8,
};

static const struct call delete_object = {
	.slot = ROOT_SLOT_CNODE, .label = LABEL_CNODE_DELETE, .length = 2, .words = {OBJECT, 64}};

static const struct call delete_other = {
	.slot = ROOT_SLOT_CNODE, .label = LABEL_CNODE_DELETE, .length = 2, .words = {OTHER, 64}};

static struct thread *thread_at(unsigned i) { return cap_thread(&world.slots[THREADS + i].cap); }

static void start(enum object_type type) {
	world_boot();
	check(world_make(type, 0, OBJECT, 1) == ERROR_NONE);
	check(world_make(OBJECT_TCB, 0, THREADS, COUNT) == ERROR_NONE);
}

static void fill(enum thread_state state, struct thread **queue) {
	for (unsigned i = 0; i < COUNT; i++)
		thread_block(thread_at(i), state, queue);
}

// The deletion that continues finds the slot empty; what was moved away goes with its own.
static void delete_moved(void) {
	static const struct call move = {.slot = ROOT_SLOT_CNODE,
		.label = LABEL_CNODE_MOVE,
		.length = 4,
		.caps = 1,
		.words = {OTHER, 64, OBJECT, 64},
		.cap_slots = {ROOT_SLOT_CNODE}};
	struct endpoint *endpoint;

	start(OBJECT_ENDPOINT);
	endpoint = cap_object(&world.slots[OBJECT].cap);
	fill(THREAD_BLOCKED_SEND, &endpoint->head);
	host.preempt_period = 1;
	check(world_call(&delete_object) == ERROR_PREEMPTED);
	check(world_call(&move) == ERROR_NONE);
	check(world_call(&delete_object) == ERROR_NONE && endpoint->head);
	check(world_make(OBJECT_ENDPOINT, 0, OBJECT, 1) == ERROR_NONE);
	check(!(world.slots[OBJECT].next & SLOT_UNFINISHED));
	check(world_call_to_end(&delete_other) == ERROR_NONE && !endpoint->head);
	check(slot_is_empty(&world.slots[OTHER]) && !slot_is_empty(&world.slots[OBJECT]));
}

// While the last handler goes, another thread gives the interrupt another notification.
static void delete_handler(void) {
	const struct call set = {.slot = HANDLER,
		.label = LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		.caps = 1,
		.cap_slots = {OTHER}};
	const struct call delete_handler = {.slot = ROOT_SLOT_CNODE,
		.label = LABEL_CNODE_DELETE,
		.length = 2,
		.words = {HANDLER, 64}};
	static struct irq irq;
	struct notification *notification;

	start(OBJECT_NOTIFICATION);
	irq = (struct irq){.state = IRQ_MESSAGE};
	notification = cap_object(&world.slots[OBJECT].cap);
	derive_insert_original(&world.slots[HANDLER], cap_make(CAP_IRQ_HANDLER, &irq), NULL);
	derive_move(&irq.notification, &world.slots[OBJECT]);
	check(world_make(OBJECT_NOTIFICATION, 0, OTHER, 1) == ERROR_NONE);
	fill(THREAD_BLOCKED_NOTIFICATION, &notification->head);
	host.preempt_period = 1;
	check(world_call(&delete_handler) == ERROR_PREEMPTED && irq.state == IRQ_MESSAGE);
	check(world_call(&set) == ERROR_PREEMPTED);
	check(world_call_to_end(&set) == ERROR_NONE && !notification->head);
	check(cap_object(&irq.notification.cap) == cap_object(&world.slots[OTHER].cap));
	notification = cap_object(&world.slots[OTHER].cap);
	thread_block(thread_at(0), THREAD_BLOCKED_NOTIFICATION, &notification->head);
	check(world_call_to_end(&delete_handler) == ERROR_NONE && irq.state == IRQ_FREE);
	check(slot_is_empty(&irq.notification) && slot_is_empty(&world.slots[HANDLER]));
	check(notification->head == thread_at(0));
}

// A space whose ASID comes from a pool that is being deleted loses it like the others; its PCID is
// free again when the last root that had it is gone.
static void assign_while_deleted(void) {
	struct cap pool;
	unsigned asid;

	world_boot();
	check(world_make(OBJECT_PAGE, 0, OTHER, 1) == ERROR_NONE);
	check(world_make(OBJECT_PML4, 0, THREADS, 3) == ERROR_NONE);
	pool = asid_pool_install(cap_object(&world.slots[OTHER].cap));
	derive_insert_original(&world.slots[OBJECT], pool, NULL);
	check(asid_pool_give(&pool, &world.slots[THREADS].cap));
	asid = world.slots[THREADS].cap.map.asid;
	host.preempt_period = 1;
	check(world_call(&delete_object) == ERROR_PREEMPTED && !space_word_of_asid(asid));
	check(asid_pool_give(&pool, &world.slots[THREADS + 1].cap));
	check(world.slots[THREADS + 1].cap.map.asid == asid);
	check(world.slots[THREADS + 1].cap.map.mapped && !world.slots[THREADS].cap.map.mapped);
	check(slot_delete(&world.slots[THREADS]) == ERROR_NONE);
	check(space_word_of_asid(asid) == world.slots[THREADS + 1].cap.word);
	check(world_call_to_end(&delete_object) == ERROR_NONE && !space_word_of_asid(asid));
	check(slot_delete(&world.slots[THREADS + 1]) == ERROR_NONE);
}

static const struct test rows[] = {
	{"STOPPED001", "a deletion does not follow what was moved away", delete_moved},
	{"STOPPED002", "that of a handler takes what it signals then", delete_handler},
	{"STOPPED003", "an ASID given meanwhile goes as the others", assign_while_deleted},
};

TESTS(stopped_tests);
