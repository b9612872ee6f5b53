// SPDX-License-Identifier: BSD-2-Clause
// Tests: which capabilities descend from which, seen through Revoke (CAP-8, CAP-15 to CAP-19).
#include "world.h"

static void copies_of_original(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t copy = cap_copy(endpoint);
	uint64_t second = cap_copy(copy);

	CHECK_OK(cap_revoke(copy));
	CHECK_EQUAL(cap_kind(second), KIND_ENDPOINT);
	CHECK_OK(cap_revoke(endpoint));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_EQUAL(cap_kind(second), KIND_NULL);
	CHECK_EQUAL(cap_kind(endpoint), KIND_ENDPOINT);
}

static void badged_level(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t badged = cap_mint(endpoint, RIGHTS_ALL, 1);
	uint64_t copy = cap_copy(badged);
	uint64_t other = cap_mint(endpoint, RIGHTS_ALL, 2);

	CHECK_OK(cap_revoke(badged));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_EQUAL(cap_kind(badged), KIND_ENDPOINT);
	CHECK_EQUAL(cap_kind(other), KIND_ENDPOINT);
	CHECK_OK(cap_revoke(endpoint));
	CHECK_EQUAL(cap_kind(badged), KIND_NULL);
	CHECK_EQUAL(cap_kind(other), KIND_NULL);
}

static void unbadged_copy_no_children(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t copy = cap_copy(endpoint);
	uint64_t badged = cap_mint(copy, RIGHTS_ALL, 9);

	CHECK_OK(cap_revoke(copy));
	CHECK_EQUAL(cap_kind(copy), KIND_ENDPOINT);
	CHECK_OK(cap_revoke(endpoint));
	CHECK_EQUAL(cap_kind(badged), KIND_NULL);
}

static void untyped_tree(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);
	uint64_t child = object_new_in(untyped, OBJECT_UNTYPED, 14);
	uint64_t grandchild = object_new_in(child, OBJECT_CNODE, 4);
	uint64_t copy = cap_copy(grandchild);

	CHECK_OK(cap_revoke(child));
	CHECK_EQUAL(cap_kind(grandchild), KIND_NULL);
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_EQUAL(cap_kind(child), KIND_UNTYPED);
	CHECK_OK(cap_revoke(untyped));
	CHECK_EQUAL(cap_kind(child), KIND_NULL);
}

static void parent_deleted(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);
	uint64_t child = object_new_in(untyped, OBJECT_UNTYPED, 14);
	uint64_t endpoint = object_new_in(child, OBJECT_ENDPOINT, 0);

	CHECK_OK(cap_delete(child));
	CHECK_EQUAL(cap_kind(endpoint), KIND_ENDPOINT);
	CHECK_OK(cap_revoke(untyped));
	CHECK_EQUAL(cap_kind(endpoint), KIND_NULL);
}

static void untyped_copy(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t copy = cap_copy(untyped);

	CHECK_ERROR(
		retype_one(untyped, OBJECT_ENDPOINT, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 0);
	(void)object_new_in(copy, OBJECT_ENDPOINT, 0);
	CHECK_OK(cap_revoke(untyped));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void untyped_copy_deleted(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t copy = cap_copy(untyped);

	CHECK_OK(cap_delete(copy));
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void revoke_many(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t first = slot_take();
	uint64_t last = first;

	for (unsigned count = 0; count < 500; count++) {
		last = slot_take();
		CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
			WORDS(last, DEPTH, endpoint, DEPTH, RIGHTS_ALL, count + 1)));
	}
	CHECK_OK(cap_revoke(endpoint));
	for (uint64_t slot = first; slot <= last; slot++)
		CHECK_EQUAL(cap_kind(slot), KIND_NULL);
}

static void derive_frame_unmapped(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t copy;

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	copy = cap_copy(frame);
	CHECK_OK(frame_map(copy, ROOT_SLOT_SPACE, TEST_ADDRESS + 0x1000, RIGHT_READ | RIGHT_WRITE));
	*(volatile uint64_t *)TEST_ADDRESS = 0x1234;
	CHECK_EQUAL(*(volatile uint64_t *)(TEST_ADDRESS + 0x1000), 0x1234);
}

static void derive_space(void) {
	CHECK_EQUAL(cap_kind(cap_copy(space_new())), KIND_PML4);
	CHECK_EQUAL(cap_kind(cap_copy(ROOT_SLOT_ASID_CONTROL)), KIND_ASID_CONTROL);
	CHECK_EQUAL(cap_kind(cap_copy(ROOT_SLOT_ASID_POOL)), KIND_ASID_POOL);
	CHECK_EQUAL(cap_kind(cap_copy(ROOT_SLOT_DOMAIN)), KIND_DOMAIN);
	CHECK_EQUAL(cap_kind(cap_copy(world.sched_control)), KIND_SCHED_CONTROL);
}

static void siblings_survive(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t first = object_new_in(untyped, OBJECT_ENDPOINT, 0);
	uint64_t second = object_new_in(untyped, OBJECT_ENDPOINT, 0);
	uint64_t copy = cap_copy(first);

	CHECK_OK(cap_revoke(first));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_EQUAL(cap_kind(second), KIND_ENDPOINT);
}

static const struct test tests[] = {
	{"derive-copies", "copies of copies descend from the original alone", copies_of_original,
		NULL},
	{"derive-badged", "copies of a badged capability descend from the first with the badge",
		badged_level, NULL},
	{"derive-unbadged", "an unbadged copy is no parent that survives its original",
		unbadged_copy_no_children, NULL},
	{"derive-untyped", "revoking an untyped takes all generations", untyped_tree, NULL},
	{"derive-parent", "children of a deleted capability go to its parent", parent_deleted,
		NULL},
	{"derive-untyped-copy",
		"a copied untyped is full while the copy lives, and the copy descends from it",
		untyped_copy, NULL},
	{"derive-untyped-back", "deleting the copy of an untyped gives the memory back",
		untyped_copy_deleted, NULL},
	{"derive-many", "one Revoke deletes five hundred descendants", revoke_many, NULL},
	{"derive-frame", "the copy of a mapped frame is unmapped", derive_frame_unmapped, NULL},
	{"derive-plain", "spaces with ASID and control capabilities are copied plainly",
		derive_space, NULL},
	{"derive-siblings", "a sibling object survives a Revoke", siblings_survive, NULL},
};

TEST_FILE(derivation);
