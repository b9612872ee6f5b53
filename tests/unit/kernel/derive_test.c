// SPDX-License-Identifier: BSD-2-Clause
// The derivation order against a plain tree: random retypes, copies, mints, moves, swaps, deletions
// and revocations, and after each one every slot has the descendants the tree says.
#include "test.h"
#include "world.h"

#include <cap/object.h>
#include <string.h>

enum {
	SLOTS = 64,
	ROUNDS = 30000,
	UNTYPED_BITS = 20,
	NO_NODE = -1,
};

// What the tree knows of a filled slot.
struct node {
	bool filled;
	int parent;
	unsigned object; // one number an object; 0 never
	unsigned type;
	uint64_t badge;
	bool original; // takes copies as children
};

static struct node nodes[SLOTS];
static unsigned objects;
static uint64_t badges;

static struct slot *slot_of(int i) { return &world.slots[i]; }

static bool descends(int child, int parent) {
	for (int i = nodes[child].parent; i != NO_NODE; i = nodes[i].parent)
		if (i == parent) return true;
	return false;
}

static unsigned slots_of_object(unsigned object) {
	unsigned count = 0;

	for (int i = 0; i < SLOTS; i++)
		count += nodes[i].filled && nodes[i].object == object;
	return count;
}

static void compare_slot(int i) {
	bool found[SLOTS] = {};
	const struct slot *slot = slot_of(i);

	check(slot_is_empty(slot) == !nodes[i].filled);
	if (!nodes[i].filled) return;
	for (const struct slot *s = slot_next(slot); s && derive_is_parent(slot, s);
		s = slot_next(s))
		found[s - world.slots] = true;
	for (int j = 0; j < SLOTS; j++)
		check(found[j] == (nodes[j].filled && descends(j, i)));
	check(derive_is_last(slot) == (slots_of_object(nodes[i].object) == 1) ||
		nodes[i].type == CAP_UNTYPED);
}

static void compare(void) {
	for (int i = 0; i < SLOTS; i++)
		compare_slot(i);
	world_check_order();
}

static int slot_random(bool filled) {
	unsigned start = random_below(SLOTS);

	for (unsigned i = 0; i < SLOTS; i++) {
		int slot = (int)((start + i) % SLOTS);

		if (nodes[slot].filled == filled) return slot;
	}
	return NO_NODE;
}

static bool has_child(int parent) {
	for (int i = 0; i < SLOTS; i++)
		if (nodes[i].filled && nodes[i].parent == parent) return true;
	return false;
}

static void try_retype(int untyped, int destination) {
	static const struct {
		enum object_type type;
		unsigned cap;
	} kinds[] = {{OBJECT_ENDPOINT, CAP_ENDPOINT}, {OBJECT_NOTIFICATION, CAP_NOTIFICATION},
		{OBJECT_UNTYPED, CAP_UNTYPED}, {OBJECT_REPLY, CAP_REPLY}, {OBJECT_PAGE, CAP_FRAME}};
	unsigned kind = random_below(array_count(kinds));
	struct slot window = {.cap = cap_make(CAP_CNODE, world.slots)};
	unsigned bits = nodes[untyped].type == CAP_UNTYPED ? slot_of(untyped)->cap.size_bits : 0;
	struct invocation call = {
		.slot = slot_of(untyped),
		.buffer = &(struct ipc_buffer){.message = {[4] = (uint64_t)destination, [5] = 1}},
		.registers = (uint64_t[]){kinds[kind].type,
			bits > 6 ? bits - 1 - random_below(3) : 4, 0, 0},
		.label = LABEL_UNTYPED_RETYPE,
		.length = 6,
		.cap_count = 1,
		.caps = {&window},
	};

	window.cap.size_bits = 12;
	if (nodes[untyped].type != CAP_UNTYPED || invocation_dispatch(&call) != ERROR_NONE) return;
	nodes[destination] = (struct node){.filled = true,
		.parent = untyped,
		.object = ++objects,
		.type = kinds[kind].cap,
		.original = true};
}

static void try_copy(int source, int destination, uint64_t badge) {
	struct cap cap = slot_of(source)->cap;
	struct node *from = &nodes[source];
	bool is_badgeable = from->type == CAP_ENDPOINT || from->type == CAP_NOTIFICATION;

	if (from->badge || !is_badgeable) badge = 0;
	if (object_derive(slot_of(source), &cap) != ERROR_NONE) {
		check(from->type == CAP_UNTYPED && has_child(source));
		return;
	}
	if (badge) cap.badge = badge;
	derive_insert_copy(slot_of(destination), cap, slot_of(source));
	nodes[destination] = (struct node){.filled = true,
		.parent = from->original ? source : from->parent,
		.object = from->type == CAP_UNTYPED ? ++objects : from->object,
		.type = from->type,
		.badge = from->badge ? from->badge : badge,
		.original = badge || from->type == CAP_UNTYPED};
}

static void renamed(int from, int to) {
	for (int i = 0; i < SLOTS; i++)
		if (nodes[i].filled && nodes[i].parent == from) nodes[i].parent = to;
}

static void move(int source, int destination) {
	derive_move(slot_of(destination), slot_of(source));
	nodes[destination] = nodes[source];
	nodes[source] = (struct node){};
	renamed(source, destination);
}

static void swap(int one, int other) {
	struct node waiting;

	if (one == other) return;
	derive_swap(slot_of(one), slot_of(other));
	renamed(one, SLOTS);
	renamed(other, one);
	renamed(SLOTS, other);
	waiting = nodes[one];
	nodes[one] = nodes[other];
	nodes[other] = waiting;
}

static void forget(int i) {
	for (int j = 0; j < SLOTS; j++)
		if (nodes[j].filled && nodes[j].parent == i) nodes[j].parent = nodes[i].parent;
	nodes[i] = (struct node){};
}

static void revoke(int i) {
	bool dying[SLOTS];

	check(slot_revoke(slot_of(i)) == ERROR_NONE);
	for (int j = 0; j < SLOTS; j++)
		dying[j] = nodes[j].filled && descends(j, i);
	for (int j = 0; j < SLOTS; j++)
		if (dying[j]) nodes[j] = (struct node){};
}

static void step(void) {
	int filled = slot_random(true);
	int empty = slot_random(false);

	switch (random_below(empty == NO_NODE ? 3 : 10)) {
	case 0:
		if (filled != 0 || random_below(50) == 0) revoke(filled);
		break;
	case 1:
	case 2:
		// The first untyped stays, or there would be nothing left to do.
		if (filled == 0 || nodes[filled].parent == NO_NODE) break;
		check(slot_delete(slot_of(filled)) == ERROR_NONE);
		forget(filled);
		break;
	case 3: move(filled, empty); break;
	case 4: swap(filled, slot_random(true)); break;
	case 5: swap(filled, empty); break;
	case 6:
	case 7: try_retype(filled, empty); break;
	case 8: try_copy(filled, empty, ++badges); break;
	default: try_copy(filled, empty, 0); break;
	}
}

static void random_operations(void) {
	unsigned most = 0;

	world_start(UNTYPED_BITS);
	nodes[0] = (struct node){.filled = true,
		.parent = NO_NODE,
		.object = ++objects,
		.type = CAP_UNTYPED,
		.original = true};
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned filled = 0;

		step();
		compare();
		for (int i = 0; i < SLOTS; i++)
			filled += nodes[i].filled;
		most = filled > most ? filled : most;
	}
	check(most > SLOTS / 2);
}

static void badge_levels(void) {
	struct slot *s = world.slots;
	struct cap cap;

	world_start(UNTYPED_BITS);
	s = world.slots;
	check(world_make(OBJECT_ENDPOINT, 0, 1, 1) == ERROR_NONE);
	cap = s[1].cap;
	derive_insert_copy(&s[2], cap, &s[1]); // plain copy
	cap.badge = 5;
	derive_insert_copy(&s[3], cap, &s[1]); // first with badge 5
	derive_insert_copy(&s[4], cap, &s[3]); // its copy
	derive_insert_copy(&s[5], cap, &s[2]); // another first one, minted from the copy
	check(s[3].next & SLOT_FIRST_BADGED && s[5].next & SLOT_FIRST_BADGED);
	check(slot_revoke(&s[2]) == ERROR_NONE && !slot_is_empty(&s[5]));
	check(slot_revoke(&s[3]) == ERROR_NONE);
	check(slot_is_empty(&s[4]) && !slot_is_empty(&s[5]) && !slot_is_empty(&s[2]));
	check(slot_revoke(&s[1]) == ERROR_NONE);
	check(slot_is_empty(&s[2]) && slot_is_empty(&s[3]) && slot_is_empty(&s[5]));
	check(!slot_is_empty(&s[1]));
	check(slot_revoke(&s[0]) == ERROR_NONE && slot_is_empty(&s[1]));
	check(untyped_free_bytes(&s[0]) == 1ul << UNTYPED_BITS);
}

static void control_capabilities(void) {
	static alignas(32) struct slot s[6];
	struct cap range = cap_make(CAP_PORT_RANGE, NULL);

	derive_insert_original(&s[0], cap_make(CAP_PORT_CONTROL, NULL), NULL);
	derive_insert_original(&s[1], cap_make(CAP_IRQ_CONTROL, NULL), NULL);
	range.port.first = 0x60;
	range.port.last = 0x64;
	derive_insert_copy(&s[2], range, &s[0]);
	derive_insert_copy(&s[3], range, &s[2]);
	range.port.last = 0x60;
	derive_insert_copy(&s[4], range, &s[0]);
	check(derive_is_parent(&s[0], &s[2]) && derive_is_parent(&s[0], &s[4]));
	check(derive_is_parent(&s[2], &s[3]) && !derive_is_parent(&s[3], &s[2]));
	check(!derive_is_parent(&s[4], &s[2]) && !derive_is_parent(&s[2], &s[4]));
	check(!derive_is_parent(&s[1], &s[2]));
	check(derive_is_last(&s[4]) && !derive_is_last(&s[2]) && !derive_is_last(&s[3]));
}

static const struct test rows[] = {
	{"DERIVE001", "random operations keep the order equal to a plain tree", random_operations},
	{"DERIVE002", "badged capabilities make a level of their own", badge_levels},
	{"DERIVE003", "ranges and handlers descend from their control capability",
		control_capabilities},
};

TESTS(derive_tests);
