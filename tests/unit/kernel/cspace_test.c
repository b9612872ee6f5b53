// SPDX-License-Identifier: BSD-2-Clause
// Capability addresses: the examples of errors.md, and random trees against a bit-by-bit walk.
#include "test.h"

#include <kernel/cspace.h>
#include <stdalign.h>

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

static void examples(void) {
	struct cap root = node_cap(root_slots, 12, 52, 0);
	struct lookup_failure failure;
	struct lookup lookup = cspace_walk(&root, 5, 64, &failure);

	check(lookup.slot == &root_slots[5] && lookup.bits_left == 0);
	check(!cspace_walk(&root, 5, 63, &failure).slot);
	check(failure.kind == LOOKUP_DEPTH_MISMATCH);
	check(failure.bits_left == 63 && failure.bits_found == 64);
	check(!cspace_walk(&root, 5, 12, &failure).slot);
	check(failure.kind == LOOKUP_GUARD_MISMATCH && failure.bits_left == 12);
	check(failure.guard == 0 && failure.guard_size == 52);
	check(!cspace_walk(&root, 1ul << 63, 64, &failure).slot);
	check(failure.kind == LOOKUP_GUARD_MISMATCH && failure.bits_left == 64);
	root_slots[3].cap = cap_make(CAP_ENDPOINT, NULL);
	check(!cspace_walk(&root_slots[3].cap, 0, 64, &failure).slot);
	check(failure.kind == LOOKUP_INVALID_ROOT);
	root = node_cap(root_slots, 4, 0, 0);
	lookup = cspace_walk(&root, 0x30, 8, &failure);
	check(lookup.slot == &root_slots[3] && lookup.bits_left == 4);
}

static void guards(void) {
	struct cap root = node_cap(root_slots, 4, 8, 0xa5);
	struct lookup_failure failure;

	check(cspace_walk(&root, 0xa5f, 12, &failure).slot == &root_slots[15]);
	check(cspace_walk(&root, 0xffffa5f, 12, &failure).slot == &root_slots[15]);
	check(!cspace_walk(&root, 0xa4f, 12, &failure).slot);
	check(failure.guard == 0xa5 && failure.guard_size == 8 && failure.bits_left == 12);
	check(!cspace_walk(&root, 0xa5f, 7, &failure).slot);
	check(failure.kind == LOOKUP_GUARD_MISMATCH);
	check(!cspace_walk(&root, 0xa5, 8, &failure).slot);
	check(failure.kind == LOOKUP_DEPTH_MISMATCH && failure.bits_found == 12);
}

// Bits of address from the top of those that are left.
static uint64_t take(uint64_t address, unsigned *left, unsigned count) {
	uint64_t bits = 0;

	while (count--)
		bits = bits << 1 | (address >> --*left & 1);
	return bits;
}

static struct lookup walk_slowly(
	const struct cap *cnode, uint64_t address, unsigned left, struct lookup_failure *failure) {
	for (;;) {
		unsigned before = left;
		unsigned size = cnode->cnode.guard_size;
		struct slot *slots = cap_object(cnode);
		struct slot *slot;

		*failure = (struct lookup_failure){.kind = LOOKUP_GUARD_MISMATCH,
			.bits_left = before,
			.guard = cnode->cnode.guard,
			.guard_size = size};
		if (size > left || take(address, &left, size) != cnode->cnode.guard)
			return (struct lookup){};
		*failure = (struct lookup_failure){.kind = LOOKUP_DEPTH_MISMATCH,
			.bits_left = before,
			.bits_found = size + cnode->size_bits};
		if (cnode->size_bits > left) return (struct lookup){};
		slot = &slots[take(address, &left, cnode->size_bits)];
		if (left == 0 || slot->cap.type != CAP_CNODE)
			return (struct lookup){.slot = slot, .bits_left = left};
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
		struct lookup_failure failure = {};
		struct lookup_failure expected_failure = {};
		uint64_t address = random_below(2) ? random_next() : random_below(256);
		unsigned depth = 1 + random_below(64);
		struct slot *changed = &nodes[random_below(NODES)][random_below(1 << NODE_RADIX)];
		struct cap root = random_node();
		struct lookup lookup;
		struct lookup expected;

		changed->cap = random_below(3) ? random_node() : cap_make(CAP_ENDPOINT, NULL);
		lookup = cspace_walk(&root, address, depth, &failure);
		expected = walk_slowly(&root, address, depth, &expected_failure);
		check(lookup.slot == expected.slot && lookup.bits_left == expected.bits_left);
		if (lookup.slot) continue;
		check(failure.kind == expected_failure.kind);
		check(failure.bits_left == expected_failure.bits_left);
		check(failure.bits_found == expected_failure.bits_found);
		check(failure.guard == expected_failure.guard);
		check(failure.guard_size == expected_failure.guard_size);
	}
}

static const struct test rows[] = {
	{"CSPACE001", "lookups fail as the ABI's examples say", examples},
	{"CSPACE002", "guards are compared before the depth, and only their own bits", guards},
	{"CSPACE003", "random trees resolve as a bit-by-bit walk does", random_trees},
};

TESTS(cspace_tests);
