// SPDX-License-Identifier: BSD-2-Clause
// Deletion: nested and cyclic capability spaces, stopped at every step, interleaved with each
// other.
#include "test.h"
#include "world.h"

#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <cap/object.h>

enum {
	UNTYPED_BITS = 22,
	OBJECTS = 24,
	RADIX = 3,
	OUTSIDE = 64, // slots outside all objects, after the objects' first capabilities
	ROUNDS = 3000,
	PAUSED = 4, // deletions that were stopped and may continue
	STEPS_MAX = 20000,
	WAITERS = 8, // threads of no memory
};

// Objects with slots: cnodes and threads.
static struct slot *arrays[OBJECTS];
static unsigned array_slots[OBJECTS];

static struct thread waiters[WAITERS];

static struct slot *random_place(unsigned objects) {
	unsigned object = random_below(objects + 1);

	if (object == objects) return &world.slots[1 + random_below(OUTSIDE)];
	return &arrays[object][random_below(array_slots[object])];
}

static struct slot *slots_of(const struct cap *cap) {
	return cap->type == CAP_THREAD ? cap_thread(cap)->slots : cap_object(cap);
}

static void make_wait(struct endpoint *endpoint, struct notification *notification) {
	for (unsigned i = 0; i < WAITERS; i++) {
		waiters[i] = (struct thread){};
		if (i % 2)
			thread_block(&waiters[i], THREAD_BLOCKED_SEND, &endpoint->head);
		else
			thread_block(&waiters[i], THREAD_BLOCKED_NOTIFICATION, &notification->head);
	}
}

// Makes the objects, with their capabilities in slots 1.. outside all objects.
static void make_objects(unsigned objects) {
	for (unsigned i = 0; i < objects; i++) {
		bool is_thread = random_below(4) == 0;
		unsigned radix = 1 + random_below(RADIX);

		check(world_make(is_thread ? OBJECT_TCB : OBJECT_CNODE, radix, 1 + i, 1) ==
			ERROR_NONE);
		arrays[i] = slots_of(&world.slots[1 + i].cap);
		array_slots[i] = 1u << (is_thread ? THREAD_SLOT_RADIX : radix);
	}
	check(world_make(OBJECT_ENDPOINT, 0, 1 + objects, 1) == ERROR_NONE);
	check(world_make(OBJECT_NOTIFICATION, 0, 2 + objects, 1) == ERROR_NONE);
	make_wait(cap_object(&world.slots[1 + objects].cap),
		cap_object(&world.slots[2 + objects].cap));
}

static bool is_referred(const struct slot *array, bool by_zombie) {
	for (const struct slot *s = &world.slots[0]; s; s = slot_next(s))
		if ((s->cap.type == CAP_CNODE || s->cap.type == CAP_THREAD ||
			    (by_zombie && s->cap.type == CAP_ZOMBIE)) &&
			slots_of(&s->cap) == array)
			return true;
	return false;
}

// Slots of a dying object cannot be named.
static bool can_be_named(unsigned objects, const struct slot *slot) {
	for (unsigned i = 0; i < objects; i++)
		if (slot >= arrays[i] && slot < arrays[i] + array_slots[i])
			return is_referred(arrays[i], false);
	return true;
}

static void scatter(unsigned objects, unsigned moves) {
	for (unsigned i = 0; i < moves; i++) {
		struct slot *from = random_place(objects);
		struct slot *to = random_place(objects);

		if (slot_is_empty(from) || !slot_is_empty(to) || !can_be_named(objects, from) ||
			!can_be_named(objects, to))
			continue;
		if (random_below(3) == 0 && from->cap.type != CAP_ZOMBIE)
			derive_insert_copy(to, from->cap, from);
		else
			derive_move(to, from);
	}
}

// A filled slot must lie in memory that some capability or zombie keeps.
static void check_memory(unsigned objects) {
	unsigned filled = 0;
	unsigned listed = 0;

	for (unsigned i = 0; i < objects; i++) {
		bool used = false;

		for (unsigned j = 0; j < array_slots[i]; j++)
			used |= !slot_is_empty(&arrays[i][j]);
		check(!used || is_referred(arrays[i], true));
		for (unsigned j = 0; j < array_slots[i]; j++)
			filled += !slot_is_empty(&arrays[i][j]);
	}
	filled += world_check_order();
	for (const struct slot *s = &world.slots[0]; s; s = slot_next(s)) {
		check(!slot_next(s) || slot_next(s)->previous == s);
		check(s->cap.type != CAP_ZOMBIE || s->next & SLOT_UNFINISHED);
		listed++;
	}
	check(filled == listed);
}

// Runs slot_revoke of the first untyped to its end, checking at each stop.
static void finish(unsigned objects) {
	unsigned steps = 0;

	while (slot_revoke(&world.slots[0]) == ERROR_PREEMPTED) {
		check_memory(objects);
		check(++steps < STEPS_MAX);
	}
	check_memory(objects);
	check(!slot_next(&world.slots[0]));
	check(untyped_free_bytes(&world.slots[0]) == 1ul << UNTYPED_BITS);
	for (unsigned i = 0; i < objects; i++)
		for (unsigned j = 0; j < array_slots[i]; j++)
			check(slot_is_empty(&arrays[i][j]));
	for (unsigned i = 0; i < WAITERS; i++)
		check(!thread_is_blocked(&waiters[i]));
}

static void stopped_once_a_step(void) {
	world_start(UNTYPED_BITS);
	host.preempt_period = 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned objects = 1 + random_below(OBJECTS);
		struct slot *victim;
		unsigned steps = 0;

		make_objects(objects);
		scatter(objects, 200);
		victim = random_place(objects);
		while (slot_delete(victim) == ERROR_PREEMPTED) {
			check_memory(objects);
			check(++steps < STEPS_MAX);
		}
		check(slot_is_empty(victim));
		check_memory(objects);
		finish(objects);
	}
}

static void overtaken(void) {
	world_start(UNTYPED_BITS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned objects = 1 + random_below(OBJECTS);
		struct slot *paused[PAUSED] = {};

		host.preempt_period = 1 + random_below(6);
		make_objects(objects);
		scatter(objects, 200);
		for (unsigned i = 0; i < 60; i++) {
			struct slot **turn = &paused[random_below(PAUSED)];

			if (!*turn) *turn = random_place(objects);
			// A revocation hits slots that no address leads to.
			if (slot_delete(*turn) == ERROR_NONE || random_below(5) == 0) *turn = NULL;
			check_memory(objects);
			if (random_below(8) == 0) scatter(objects, 1);
		}
		finish(objects);
	}
}

static void not_stopped(void) {
	world_start(UNTYPED_BITS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned objects = 1 + random_below(OBJECTS);
		struct slot *victim;

		make_objects(objects);
		scatter(objects, 300);
		victim = random_place(objects);
		check(slot_delete(victim) == ERROR_NONE && slot_is_empty(victim));
		check_memory(objects);
		for (const struct slot *s = world.slots; s; s = slot_next(s))
			check(s->cap.type != CAP_ZOMBIE);
		finish(objects);
	}
}

// A chain of cnodes, each holding the last capability to the next, with the first one's capability
// in the last: the smallest space that keeps itself.
static void cycle(void) {
	struct slot *inside;

	world_start(UNTYPED_BITS);
	host.preempt_period = 1;
	for (unsigned i = 0; i < 4; i++) {
		check(world_make(OBJECT_CNODE, 1, 1 + i, 1) == ERROR_NONE);
		arrays[i] = cap_object(&world.slots[1 + i].cap);
		array_slots[i] = 2;
	}
	for (unsigned i = 0; i < 4; i++)
		derive_move(&arrays[(i + 3) % 4][i % 2], &world.slots[1 + i]);
	inside = &arrays[3][0];
	while (slot_delete(inside) == ERROR_PREEMPTED)
		check_memory(4);
	check(slot_is_empty(inside));
	finish(4);
}

// Between two stops a deletion looks at more than one empty slot, and not at all of them.
static void empty_slots(void) {
	unsigned steps = 0;

	world_start(UNTYPED_BITS);
	check(world_make(OBJECT_CNODE, 10, 1, 1) == ERROR_NONE);
	host.preempt_period = 1;
	while (slot_delete(&world.slots[1]) == ERROR_PREEMPTED)
		steps++;
	check(steps >= 8 && steps <= 128);
	check(slot_is_empty(&world.slots[1]));
}

static void waiting_threads(void) {
	struct slot *s;
	struct thread *thread;

	world_start(UNTYPED_BITS);
	s = world.slots;
	check(world_make(OBJECT_TCB, 0, 1, 1) == ERROR_NONE);
	check(world_make(OBJECT_CNODE, 2, 2, 1) == ERROR_NONE);
	thread = cap_thread(&s[1].cap);
	thread_fill_slot(&thread->slots[THREAD_CSPACE], s[2].cap, &s[2]);
	check(slot_delete(&s[2]) == ERROR_NONE);
	check(derive_is_last(&thread->slots[THREAD_CSPACE]));
	host.preempt_period = 1;
	check(slot_delete(&s[1]) == ERROR_PREEMPTED);
	check(s[1].cap.type == CAP_ZOMBIE);
	host.preempt_period = 0;
	check(slot_delete(&s[1]) == ERROR_NONE);
	check(slot_is_empty(&s[1]) && !derive_has_child(&s[0]));
}

static const struct test rows[] = {
	{"DELETE001", "random spaces die without a stop and leave no zombie", not_stopped},
	{"DELETE002", "random spaces die when stopped at every step", stopped_once_a_step},
	{"DELETE003", "deletions that overtake each other leave nothing behind", overtaken},
	{"DELETE004", "a ring of cnodes dies with one of its capabilities", cycle},
	{"DELETE005", "a thread takes the capabilities it acts with along", waiting_threads},
	{"DELETE006", "empty slots are passed in groups", empty_slots},
};

TESTS(delete_tests);
