// SPDX-License-Identifier: BSD-2-Clause
// Capability addresses: the examples of CAP-1 to CAP-7, and random trees against a bit-by-bit walk.
#include "test.h"
#include "world.h"

#include <cap/cspace.h>
#include <stdalign.h>
#include <string.h>

enum {
	NODES = 6,
	NODE_RADIX = 4,
	ROUNDS = 200000,
};

static alignas(32) struct slot nodes[NODES][1 << NODE_RADIX];
static alignas(32) struct slot root_slots[1 << 12];

static struct cap node_cap(
	struct slot *slots, unsigned radix, unsigned guard_size, uint64_t guard) {
	struct cap cap = cap_make(CAP_CNODE, slots);

	cap.size_bits = radix & 63;
	cap.cnode.guard_size = guard_size & 63;
	cap.cnode.guard = guard & ((1ul << 58) - 1);
	return cap;
}

struct found {
	struct slot *slot;
	unsigned left;
	struct lookup failure; // if there is no slot
};

static struct found find(const struct cap *root, uint64_t address, unsigned depth) {
	struct found found = {.left = depth};

	found.slot = cspace_walk(root, address, &found.left);
	if (!found.slot) found.failure = cspace_failure(root, address, depth);
	return found;
}

// The words of the failure, of which its kind counts the first.
static bool fails_with(const struct found *found, enum lookup_failure_kind kind, uint64_t left,
	uint64_t third, uint64_t fourth) {
	const uint64_t words[LOOKUP_MAX_WORDS] = {kind, left, third, fourth};

	return !found->slot && memcmp(found->failure.words, words, sizeof(words)) == 0 &&
		lookup_length(&found->failure) == (unsigned)kind;
}

static void examples(void) {
	struct cap root = node_cap(root_slots, 12, 52, 0);
	struct found found = find(&root, 5, 64);

	check(found.slot == &root_slots[5] && found.left == 0);
	found = find(&root, 5, 63);
	check(fails_with(&found, LOOKUP_DEPTH_MISMATCH, 63, 64, 0));
	found = find(&root, 5, 12);
	check(fails_with(&found, LOOKUP_GUARD_MISMATCH, 12, 0, 52));
	found = find(&root, 1ul << 63, 64);
	check(fails_with(&found, LOOKUP_GUARD_MISMATCH, 64, 0, 52));
	root_slots[3].cap = cap_make(CAP_ENDPOINT, NULL);
	found = find(&root_slots[3].cap, 0, 64);
	check(fails_with(&found, LOOKUP_INVALID_ROOT, 0, 0, 0));
	root = node_cap(root_slots, 4, 0, 0);
	found = find(&root, 0x30, 8);
	check(found.slot == &root_slots[3] && found.left == 4);
}

static void guards(void) {
	struct cap root = node_cap(root_slots, 4, 8, 0xa5);
	struct found found;

	check(find(&root, 0xa5f, 12).slot == &root_slots[15]);
	check(find(&root, 0xffffa5f, 12).slot == &root_slots[15]);
	found = find(&root, 0xa4f, 12);
	check(fails_with(&found, LOOKUP_GUARD_MISMATCH, 12, 0xa5, 8));
	found = find(&root, 0xa5f, 7);
	check(fails_with(&found, LOOKUP_GUARD_MISMATCH, 7, 0xa5, 8));
	found = find(&root, 0xa5, 8);
	check(fails_with(&found, LOOKUP_DEPTH_MISMATCH, 8, 12, 0));
}

// Bits of address from the top of those that are left.
static uint64_t take(uint64_t address, unsigned *left, unsigned count) {
	uint64_t bits = 0;

	while (count--)
		bits = bits << 1 | (address >> --*left & 1);
	return bits;
}

static struct found walk_slowly(const struct cap *cnode, uint64_t address, unsigned left) {
	for (;;) {
		unsigned before = left;
		unsigned size = cnode->cnode.guard_size;
		struct slot *slots = cap_object(cnode);
		struct slot *slot;

		if (size > left || take(address, &left, size) != cnode->cnode.guard)
			return (struct found){.failure = {{LOOKUP_GUARD_MISMATCH, before,
						      cnode->cnode.guard, size}}};
		if (cnode->size_bits > left)
			return (struct found){.failure = {{LOOKUP_DEPTH_MISMATCH, before,
						      size + cnode->size_bits}}};
		slot = &slots[take(address, &left, cnode->size_bits)];
		if (left == 0 || slot->cap.type != CAP_CNODE)
			return (struct found){.slot = slot, .left = left};
		cnode = &slot->cap;
	}
}

static struct cap random_node(void) {
	unsigned guard_size = random_below(4) ? random_below(5) : random_below(60);
	unsigned radix = 1 + random_below(NODE_RADIX);

	if (guard_size + radix > 64) guard_size = 64 - radix;
	return node_cap(nodes[random_below(NODES)], radix, guard_size,
		random_below(3) ? 0 : random_next() & ((1ul << guard_size) - 1));
}

static void random_trees(void) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t address = random_below(2) ? random_next() : random_below(256);
		unsigned depth = 1 + random_below(64);
		struct slot *changed = &nodes[random_below(NODES)][random_below(1 << NODE_RADIX)];
		struct cap root = random_node();
		struct found found;
		struct found expected;

		changed->cap = random_below(3) ? random_node() : cap_make(CAP_ENDPOINT, NULL);
		check(cspace_find(&root, address) == find(&root, address, 64).slot);
		found = find(&root, address, depth);
		expected = walk_slowly(&root, address, depth);
		check(found.slot == expected.slot);
		if (found.slot)
			check(found.left == expected.left);
		else
			check(memcmp(&found.failure, &expected.failure, sizeof(found.failure)) ==
				0);
	}
}

// A thread whose space is a root of 64 slots, the first of which leads to 32 more.
enum { TCB = 1, ROOT, INNER, OTHER };

static struct thread *thread_of_two_levels(void) {
	struct slot *s = world.slots;
	struct thread *thread;
	struct slot *first;
	struct cap cap;

	world_start(22);
	check(world_make(OBJECT_TCB, 0, TCB, 1) == ERROR_NONE);
	check(world_make(OBJECT_CNODE, 6, ROOT, 1) == ERROR_NONE);
	check(world_make(OBJECT_CNODE, 5, INNER, 2) == ERROR_NONE);
	s = world.slots;
	first = cap_object(&s[ROOT].cap);
	cap = s[INNER].cap;
	cap.cnode.guard_size = 64 - 6 - 5;
	derive_insert_copy(first, cap, &s[INNER]);
	thread = cap_thread(&s[TCB].cap);
	thread_fill_slot(&thread->slots[THREAD_CSPACE], s[ROOT].cap, &s[ROOT]);
	return thread;
}

static bool has_cache(const struct thread *thread) {
	const struct slot *inner = cap_object(&world.slots[INNER].cap);
	struct slot *slot;
	bool found = thread_find_fast(thread, 7, &slot);

	check(!found || slot == &inner[7]);
	check(!thread_find_fast(thread, 32, &slot) && !thread_find_fast(thread, 1ul << 58, &slot));
	check(thread_find(thread, 7) == find(&thread->slots[THREAD_CSPACE].cap, 7, 64).slot);
	return found;
}

static struct slot *first_of(const struct thread *thread) {
	return cap_object(&thread->slots[THREAD_CSPACE].cap);
}

static void first_deleted(void) {
	struct thread *thread = thread_of_two_levels();

	check(has_cache(thread) && slot_delete(first_of(thread)) == ERROR_NONE);
	check(!has_cache(thread));
}

static void first_moved(void) {
	struct thread *thread = thread_of_two_levels();
	struct slot *first = first_of(thread);

	derive_move(&first[1], &first[0]);
	check(!has_cache(thread) && !(first[1].next & SLOT_CACHED));
}

static void first_exchanged(void) {
	struct thread *thread = thread_of_two_levels();
	struct slot *first = first_of(thread);

	derive_insert_copy(&first[1], world.slots[OTHER].cap, &world.slots[OTHER]);
	derive_swap(&first[1], &first[0]);
	check(!has_cache(thread) && !(first[1].next & SLOT_CACHED));
}

static void first_revoked(void) {
	struct thread *thread = thread_of_two_levels();

	check(slot_revoke(&world.slots[INNER]) == ERROR_NONE && !has_cache(thread));
}

static void root_deleted(void) {
	struct thread *thread = thread_of_two_levels();

	check(slot_delete(&thread->slots[THREAD_CSPACE]) == ERROR_NONE && !has_cache(thread));
}

// A space of its own for a thread that is there: a root in one slot, a cnode in the next.
static void give_space(unsigned tcb, unsigned root) {
	struct slot *s = world.slots;
	struct thread *thread = cap_thread(&s[tcb].cap);
	struct cap cap;

	check(world_make(OBJECT_CNODE, 6, root, 1) == ERROR_NONE);
	check(world_make(OBJECT_CNODE, 5, root + 1, 1) == ERROR_NONE);
	cap = s[root + 1].cap;
	cap.cnode.guard_size = 64 - 6 - 5;
	derive_insert_copy(cap_object(&s[root].cap), cap, &s[root + 1]);
	thread_fill_slot(&thread->slots[THREAD_CSPACE], s[root].cap, &s[root]);
}

static unsigned count_caches(unsigned tcb, unsigned threads) {
	unsigned count = 0;

	for (unsigned i = 0; i < threads; i++)
		count += cap_thread(&world.slots[tcb + i].cap)->cache.count > 0;
	return count;
}

enum { SPACES = 100, TCBS = 1000, ROOTS = 1200 };

// One component makes 100 spaces; each of them, and the next component's, has its cache.
static void many_spaces(void) {
	struct thread *thread = thread_of_two_levels();

	check(world_make(OBJECT_TCB, 0, TCBS, SPACES + 1) == ERROR_NONE);
	for (unsigned i = 0; i < SPACES; i++)
		give_space(TCBS + i, ROOTS + 2 * i);
	check(count_caches(TCBS, SPACES) == SPACES);
	give_space(TCBS + SPACES, ROOTS + 2 * SPACES);
	check(count_caches(TCBS + SPACES, 1) == 1 && has_cache(thread));
	check(slot_revoke(&world.slots[ROOTS + 1]) == ERROR_NONE);
	check(count_caches(TCBS, SPACES) == SPACES - 1 && has_cache(thread));
	world_check_order();
}

// Threads of one space: the last ones do without, and all caches close with the slot.
static void many_threads(void) {
	struct thread *thread = thread_of_two_levels();
	struct slot *root = &world.slots[ROOT];

	check(world_make(OBJECT_TCB, 0, TCBS, SPACES) == ERROR_NONE);
	for (unsigned i = 0; i < SPACES; i++)
		thread_fill_slot(&cap_thread(&world.slots[TCBS + i].cap)->slots[THREAD_CSPACE],
			root->cap, root);
	check(count_caches(TCBS, SPACES) == CSPACE_CACHES - 1 && has_cache(thread));
	check(slot_delete(&world.slots[TCBS]) == ERROR_NONE);
	check(count_caches(TCBS + 1, SPACES - 1) == CSPACE_CACHES - 2 && has_cache(thread));
	world_check_order();
	check(slot_delete(first_of(thread)) == ERROR_NONE);
	check(count_caches(TCBS + 1, SPACES - 1) == 0 && !has_cache(thread));
	world_check_order();
}

// What comes between by copying does not part a slot and its caches.
static void first_copied(void) {
	struct thread *thread = thread_of_two_levels();
	struct slot *s = world.slots;

	derive_insert_copy(&s[TCBS], s[INNER].cap, &s[INNER]);
	derive_insert_copy(&s[TCBS + 1], s[INNER].cap, first_of(thread));
	check(has_cache(thread) && slot_delete(&s[TCBS]) == ERROR_NONE && has_cache(thread));
	check(slot_delete(first_of(thread)) == ERROR_NONE && !has_cache(thread));
	check(!derive_is_last(&s[INNER]) && slot_delete(&s[TCBS + 1]) == ERROR_NONE);
	check(derive_is_last(&s[INNER]));
	world_check_order();
}

static const struct test rows[] = {
	{"CSPACE001", "lookups fail as the ABI's examples say", examples},
	{"CSPACE002", "guards are compared before the depth, and only their own bits", guards},
	{"CSPACE003", "random trees resolve as a bit-by-bit walk does", random_trees},
	{"CSPACE004", "a cache closes when the slot it leads through is deleted", first_deleted},
	{"CSPACE005", "and when it moves", first_moved},
	{"CSPACE006", "and when it is exchanged", first_exchanged},
	{"CSPACE007", "and when it is revoked", first_revoked},
	{"CSPACE008", "and when the thread loses its capability space", root_deleted},
	{"CSPACE009", "a component with 100 spaces takes no cache away from others", many_spaces},
	{"CSPACE010", "of the threads of one space a fixed number have caches", many_threads},
	{"CSPACE011", "copies of a slot's capability leave its caches beside it", first_copied},
};

TESTS(cspace_tests);
