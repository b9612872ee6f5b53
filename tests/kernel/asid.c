// SPDX-License-Identifier: BSD-2-Clause
// Tests: ASID control and pools (MEM-16 to MEM-20).
#include "snippets.h"
#include "world.h"

static struct message pool_make(uint64_t untyped, uint64_t root, uint64_t slot, uint64_t depth) {
	return invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL, CAPS(untyped, root),
		WORDS(slot, depth));
}

static struct message assign(uint64_t pool, uint64_t space) {
	return invoke(pool, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS());
}

static void make_errors(void) {
	uint64_t slot = slot_take();
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t parent = object_new(OBJECT_UNTYPED, 12);

	(void)object_new_in(parent, OBJECT_ENDPOINT, 0);
	CHECK_ERROR(invoke(ROOT_SLOT_ASID_CONTROL, 0, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL, CAPS(untyped),
			    WORDS(slot, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL,
			    CAPS(untyped, ROOT_SLOT_CNODE), WORDS(slot)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(pool_make(ROOT_SLOT_TCB, ROOT_SLOT_CNODE, slot, DEPTH),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(pool_make(object_new(OBJECT_UNTYPED, 13), ROOT_SLOT_CNODE, slot, DEPTH),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(pool_make(parent, ROOT_SLOT_CNODE, slot, DEPTH), ERROR_REVOKE_FIRST);
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_TCB, slot, DEPTH), ERROR_FAILED_LOOKUP, 0,
		LOOKUP_INVALID_ROOT);
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_CNODE, slot, 0), ERROR_RANGE, 1, 64);
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_CNODE, slot, 65), ERROR_RANGE, 1, 64);
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_CNODE, slot, 63), ERROR_FAILED_LOOKUP, 0,
		LOOKUP_DEPTH_MISMATCH, 63, 64);
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_CNODE, ROOT_SLOT_TCB, DEPTH), ERROR_DELETE_FIRST);
}

static void device_untyped(void) {
	if (world.device == NULL_CAP) test_skip("no device untyped");
	CHECK_ERROR(pool_make(object_new_in(world.device, OBJECT_UNTYPED, 12), ROOT_SLOT_CNODE,
			    slot_take(), DEPTH),
		ERROR_INVALID_CAPABILITY, 1);
}

static void all_pools(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t pools[ASID_POOLS];

	for (unsigned index = 1; index < ASID_POOLS; index++) {
		pools[index] = slot_take();
		CHECK_OK(pool_make(
			object_new(OBJECT_UNTYPED, 12), ROOT_SLOT_CNODE, pools[index], DEPTH));
		CHECK_EQUAL(cap_kind(pools[index]), KIND_ASID_POOL);
	}
	CHECK_ERROR(pool_make(untyped, ROOT_SLOT_CNODE, slot_take(), DEPTH), ERROR_DELETE_FIRST);
	CHECK_OK(cap_delete(pools[3]));
	CHECK_OK(pool_make(untyped, ROOT_SLOT_CNODE, pools[3], DEPTH));
	CHECK_ERROR(
		retype_one(untyped, OBJECT_ENDPOINT, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 0);
	CHECK_OK(cap_revoke(untyped));
	CHECK_EQUAL(cap_kind(pools[3]), KIND_NULL);
}

static void assign_errors(void) {
	uint64_t space = space_new();

	CHECK_ERROR(invoke(ROOT_SLOT_ASID_POOL, 0, CAPS(space), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(assign(ROOT_SLOT_ASID_POOL, space), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(assign(ROOT_SLOT_ASID_POOL, ROOT_SLOT_SPACE), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(assign(ROOT_SLOT_ASID_POOL, ROOT_SLOT_TCB), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(assign(ROOT_SLOT_ASID_POOL, object_new(OBJECT_PDPT, 0)),
		ERROR_INVALID_CAPABILITY, 1);
}

static void pool_full(void) {
	uint64_t pool = slot_take();
	uint64_t first;

	CHECK_OK(pool_make(object_new(OBJECT_UNTYPED, 12), ROOT_SLOT_CNODE, pool, DEPTH));
	first = slot_take();
	for (unsigned index = 1; index < ASIDS_PER_POOL + 1; index++)
		(void)slot_take();
	for (unsigned start = 0; start < ASIDS_PER_POOL; start += RETYPE_MAX_OBJECTS)
		CHECK_OK(retype(world.arena,
			WORDS(OBJECT_PML4, 0, 0, 0, first + start, RETYPE_MAX_OBJECTS)));
	CHECK_OK(retype_one(world.arena, OBJECT_PML4, 0, first + ASIDS_PER_POOL));
	for (unsigned index = 0; index < ASIDS_PER_POOL; index++)
		CHECK_OK(assign(pool, first + index));
	CHECK_ERROR(assign(pool, first + ASIDS_PER_POOL), ERROR_DELETE_FIRST);
	// Deleting a space frees its ASID.
	CHECK_OK(cap_delete(first + 100));
	CHECK_OK(assign(pool, first + ASIDS_PER_POOL));
}

static void pool_deleted_under_thread(void) {
	uint64_t pool = slot_take();
	uint64_t space = object_new(OBJECT_PML4, 0);

	CHECK_OK(pool_make(object_new(OBJECT_UNTYPED, 12), ROOT_SLOT_CNODE, pool, DEPTH));
	CHECK_OK(assign(pool, space));
	space_destroyed_check(space, cap_delete, pool);
}

static void configure_without_asid(void) {
	uint64_t pool = slot_take();
	uint64_t space = object_new(OBJECT_PML4, 0);

	CHECK_OK(pool_make(object_new(OBJECT_UNTYPED, 12), ROOT_SLOT_CNODE, pool, DEPTH));
	CHECK_OK(assign(pool, space));
	CHECK_EQUAL(cap_kind(cap_copy(space)), KIND_PML4);
	CHECK_OK(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_CONFIGURE,
		CAPS(ROOT_SLOT_CNODE, space, NULL_CAP), WORDS(0, 0, 0)));
}

static const struct test tests[] = {
	{"asid-make-errors", "MakePool wants a childless 4 KiB untyped and an empty slot",
		make_errors,
		"X86ASIDControlMakePool/1 X86ASIDControlMakePool/2 X86ASIDControlMakePool/4 "
		"X86ASIDControlMakePool/5 X86ASIDControlMakePool/6 X86ASIDControlMakePool/7 "
		"X86ASIDControlMakePool/8 X86ASIDControlMakePool/9"},
	{"asid-device", "MakePool refuses device memory", device_untyped,
		"X86ASIDControlMakePool/4"},
	{"asid-pools", "there are eight pools, and a deleted one can be made again", all_pools,
		"X86ASIDControlMakePool/3 X86ASIDControlMakePool/0"},
	{"asid-assign-errors", "Assign wants a PML4 without ASID", assign_errors,
		"X86ASIDPoolAssign/1 X86ASIDPoolAssign/2 X86ASIDPoolAssign/3"},
	{"asid-full", "a pool gives 512 ASIDs, and takes them back", pool_full,
		"X86ASIDPoolAssign/6 X86ASIDPoolAssign/0"},
	{"asid-pool-gone", "threads stop when the pool of their space is deleted",
		pool_deleted_under_thread, NULL},
	{"asid-use", "a space with ASID is copied and given to a TCB", configure_without_asid,
		NULL},
};

TEST_FILE(asid);
