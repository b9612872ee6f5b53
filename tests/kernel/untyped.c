// SPDX-License-Identifier: BSD-2-Clause
// Tests: Untyped_Retype: every refusal, watermark, alignment, reset, device memory.
#include "world.h"

static const struct {
	uint64_t type;
	uint64_t size_bits;
	uint64_t bytes_bits;
} sizes[] = {
	{OBJECT_UNTYPED, 9, 9},
	{OBJECT_TCB, 0, TCB_BITS},
	{OBJECT_ENDPOINT, 0, ENDPOINT_BITS},
	{OBJECT_NOTIFICATION, 0, NOTIFICATION_BITS},
	{OBJECT_CNODE, 3, 3 + SLOT_BITS},
	{OBJECT_SCHED_CONTEXT, 8, 8},
	{OBJECT_REPLY, 0, REPLY_BITS},
	{OBJECT_PDPT, 0, TABLE_BITS},
	{OBJECT_PML4, 0, TABLE_BITS},
	{OBJECT_PAGE, 0, PAGE_BITS},
	{OBJECT_LARGE_PAGE, 0, LARGE_PAGE_BITS},
	{OBJECT_PAGE_TABLE, 0, TABLE_BITS},
	{OBJECT_PAGE_DIRECTORY, 0, TABLE_BITS},
};

static struct message retype_error(uint64_t type, uint64_t size_bits) {
	return retype_one(world.arena, type, size_bits, slot_take());
}

static void label_unknown(void) {
	CHECK_ERROR(invoke(world.arena, 0, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		invoke(world.arena, LABEL_TCB_SUSPEND, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(world.arena, 999, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
}

static void truncated(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, slot)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(world.arena, LABEL_UNTYPED_RETYPE, CAPS(),
			    WORDS(OBJECT_ENDPOINT, 0, 0, 0, slot, 1)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_EQUAL(cap_kind(slot), KIND_NULL);
}

static void type_unknown(void) {
	CHECK_ERROR(retype_error(OBJECT_TYPE_COUNT, 12), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(retype_error(~0ul, 12), ERROR_INVALID_ARGUMENT, 0);
}

static void size_too_big(void) {
	CHECK_ERROR(retype_error(OBJECT_UNTYPED, 48), ERROR_RANGE, 0, 47);
	CHECK_ERROR(retype_error(OBJECT_CNODE, 43), ERROR_RANGE, 0, 47);
	CHECK_ERROR(retype_error(OBJECT_ENDPOINT, 64), ERROR_RANGE, 0, 47);
	CHECK_ERROR(retype_error(OBJECT_SCHED_CONTEXT, 48), ERROR_RANGE, 0, 47);
	CHECK_ERROR(retype_error(OBJECT_UNTYPED, ~0ul), ERROR_RANGE, 0, 47);
}

static void size_too_small(void) {
	CHECK_ERROR(retype_error(OBJECT_CNODE, 0), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(retype_error(OBJECT_UNTYPED, 3), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(retype_error(OBJECT_SCHED_CONTEXT, 6), ERROR_INVALID_ARGUMENT, 1);
}

static void root_not_cnode(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(invoke(world.arena, LABEL_UNTYPED_RETYPE, CAPS(ROOT_SLOT_TCB),
			    WORDS(OBJECT_ENDPOINT, 0, 0, DEPTH, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
}

static void node_depth(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(
		retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 2, 65, slot, 1)), ERROR_RANGE, 1, 64);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 2, 63, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_DEPTH_MISMATCH, 63, 64);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 2, 12, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_GUARD_MISMATCH, 12, 0, ROOT_GUARD);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 1ul << 40, 64, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_GUARD_MISMATCH, 64, 0, ROOT_GUARD);
}

static void node_not_cnode(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, ROOT_SLOT_TCB, 64, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 64);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, slot, 64, slot, 1)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 64);
}

static void window(void) {
	uint64_t slots = 1ul << world.bootinfo->root_cnode_bits;

	CHECK_ERROR(retype_one(world.arena, OBJECT_ENDPOINT, 0, slots), ERROR_RANGE, 0, slots - 1);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, slot_take(), 0)),
		ERROR_RANGE, 1, 256);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, slot_take(), 257)),
		ERROR_RANGE, 1, 256);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, slots - 6, 7)), ERROR_RANGE,
		1, 6);
}

static void window_occupied(void) {
	uint64_t first = slot_take();
	uint64_t second = object_new(OBJECT_ENDPOINT, 0);

	CHECK_EQUAL(second, first + 1);
	CHECK_ERROR(
		retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, first, 2)), ERROR_DELETE_FIRST);
	CHECK_EQUAL(cap_kind(first), KIND_NULL);
}

static void memory_short(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);

	CHECK_ERROR(retype(untyped, WORDS(OBJECT_PAGE, 0, 0, 0, slot_take(), 2)),
		ERROR_NOT_ENOUGH_MEMORY, 4096);
	(void)object_new_in(untyped, OBJECT_TCB, 0);
	CHECK_ERROR(
		retype_one(untyped, OBJECT_PAGE, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 2048);
	(void)object_new_in(untyped, OBJECT_TCB, 0);
	CHECK_ERROR(
		retype_one(untyped, OBJECT_ENDPOINT, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 0);
}

static void device_objects(void) {
	if (world.device == NULL_CAP) test_skip("no device untyped");
	CHECK_ERROR(
		retype_one(world.device, OBJECT_TCB, 0, slot_take()), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(
		retype_one(world.device, OBJECT_CNODE, 1, slot_take()), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(retype_one(world.device, OBJECT_PAGE_TABLE, 0, slot_take()),
		ERROR_INVALID_ARGUMENT, 1);
}

static void device_frames(void) {
	uint64_t untyped;
	uint64_t frame;

	if (world.device == NULL_CAP) test_skip("no device untyped");
	untyped = object_new_in(world.device, OBJECT_UNTYPED, 12);
	frame = object_new_in(untyped, OBJECT_PAGE, 0);
	CHECK_EQUAL(cap_kind(frame), KIND_FRAME);
	CHECK_ERROR(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_SET_IPC_BUFFER, CAPS(frame),
			    WORDS(0x1000)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		retype_one(untyped, OBJECT_ENDPOINT, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 0);
	CHECK_OK(cap_revoke(world.device));
	CHECK_EQUAL(cap_kind(frame), KIND_NULL);
}

static void object_sizes(void) {
	for (unsigned row = 0; row < array_count(sizes); row++) {
		uint64_t untyped = object_new(OBJECT_UNTYPED, sizes[row].bytes_bits);
		uint64_t object = object_new_in(untyped, sizes[row].type, sizes[row].size_bits);

		CHECK(cap_kind(object) != KIND_NULL);
		CHECK_ERROR(retype_one(untyped, sizes[row].type, sizes[row].size_bits, slot_take()),
			ERROR_NOT_ENOUGH_MEMORY, 0);
	}
}

static void size_ignored(void) {
	(void)object_new(OBJECT_ENDPOINT, 63);
	(void)object_new(OBJECT_PAGE, 1);
	(void)object_new(OBJECT_TCB, 5);
}

static uint64_t frame_address(uint64_t frame) {
	struct message answer = invoke(frame, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS());

	check_ok(HERE, &answer);
	return answer.words[0];
}

static void watermark_alignment(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 14);
	uint64_t first = object_new_in(untyped, OBJECT_PAGE, 0);
	uint64_t second;

	(void)object_new_in(untyped, OBJECT_ENDPOINT, 0);
	second = object_new_in(untyped, OBJECT_PAGE, 0);
	CHECK_EQUAL(frame_address(second) - frame_address(first), 0x2000);
	CHECK_EQUAL(frame_address(first) & 0x3fff, 0);
}

static void consecutive(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);
	uint64_t first = slot_take();

	for (unsigned index = 1; index < 16; index++)
		(void)slot_take();
	CHECK_OK(retype(untyped, WORDS(OBJECT_PAGE, 0, 0, 0, first, 16)));
	for (unsigned index = 1; index < 16; index++)
		CHECK_EQUAL(
			frame_address(first + index) - frame_address(first), index << PAGE_BITS);
}

static void most_objects(void) {
	uint64_t first = slot_take();

	for (unsigned index = 1; index < RETYPE_MAX_OBJECTS; index++)
		(void)slot_take();
	CHECK_OK(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, 0, 0, first, RETYPE_MAX_OBJECTS)));
	for (unsigned index = 0; index < RETYPE_MAX_OBJECTS; index++)
		CHECK_EQUAL(cap_kind(first + index), KIND_ENDPOINT);
}

static void reset_after_revoke(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t frame = object_new_in(untyped, OBJECT_PAGE, 0);
	volatile uint64_t *word = (volatile uint64_t *)TEST_ADDRESS;

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	for (unsigned index = 0; index < 512; index++)
		word[index] = ~0ul;
	CHECK_OK(cap_revoke(untyped));
	CHECK_EQUAL(cap_kind(frame), KIND_NULL);
	frame = object_new_in(untyped, OBJECT_PAGE, 0);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	for (unsigned index = 0; index < 512; index++)
		CHECK_EQUAL(word[index], 0);
}

static void reset_after_delete(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t frame = object_new_in(untyped, OBJECT_PAGE, 0);

	CHECK_ERROR(retype_one(untyped, OBJECT_PAGE, 0, slot_take()), ERROR_NOT_ENOUGH_MEMORY, 0);
	CHECK_OK(cap_delete(frame));
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void reset_large(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 25);
	volatile uint64_t *word = (volatile uint64_t *)TEST_ADDRESS;

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS + (1ul << LARGE_PAGE_BITS));
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned index = 0; index < 16; index++) {
			uint64_t frame = object_new_in(untyped, OBJECT_LARGE_PAGE, 0);

			if (index != 0 && index != 15) continue;
			CHECK_OK(frame_map(
				frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
			CHECK_EQUAL(word[0], 0);
			CHECK_EQUAL(word[0x3ffff], 0);
			word[0] = 1;
			word[0x3ffff] = 1;
			CHECK_OK(frame_unmap(frame));
		}
		CHECK_OK(cap_revoke(untyped));
	}
}

static void destination_node(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 4);

	CHECK_OK(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, 3, 2)));
	CHECK_OK(invoke(cnode, LABEL_CNODE_MOVE, CAPS(cnode), WORDS(9, 4, 3, 4)));
	CHECK_OK(invoke(cnode, LABEL_CNODE_MOVE, CAPS(cnode), WORDS(10, 4, 4, 4)));
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, 16, 1)), ERROR_RANGE,
		0, 15);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, 12, 5)), ERROR_RANGE,
		1, 4);
	CHECK_ERROR(retype(world.arena, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, 8, 4)),
		ERROR_DELETE_FIRST);
}

static void vcpu_without_vtx(void) {
	struct message answer = retype_one(world.arena, OBJECT_VCPU, 0, slot_take());

	if (answer.label == ERROR_NONE) test_skip("this CPU has VT-x");
	check_answer(HERE, &answer, ERROR_ILLEGAL_OPERATION, WORDS());
}

static const struct test tests[] = {
	{"untyped-label", "an untyped knows no other label", label_unknown, "UntypedRetype/1"},
	{"untyped-truncated", "fewer than six words or no extra cap is a truncated message",
		truncated, "UntypedRetype/2"},
	{"untyped-type", "a type past the last is argument 0", type_unknown, "UntypedRetype/3"},
	{"untyped-size-big", "an object above 2^47 bytes is a range error", size_too_big,
		"UntypedRetype/4"},
	{"untyped-size-small", "too small CNodes, untypeds and scheduling contexts are argument 1",
		size_too_small, "UntypedRetype/5 UntypedRetype/6 UntypedRetype/7"},
	{"untyped-root", "the destination root must be a CNode", root_not_cnode, "UntypedRetype/9"},
	{"untyped-depth", "the node depth is checked and looked up", node_depth,
		"UntypedRetype/10 UntypedRetype/11"},
	{"untyped-node", "the node found must be a CNode", node_not_cnode, "UntypedRetype/12"},
	{"untyped-window", "offset and number of objects must lie in the node", window,
		"UntypedRetype/13 UntypedRetype/14 UntypedRetype/15"},
	{"untyped-occupied", "an occupied slot in the window refuses the whole call",
		window_occupied, "UntypedRetype/16"},
	{"untyped-memory", "too little memory answers the bytes left", memory_short,
		"UntypedRetype/17"},
	{"untyped-device", "a device untyped gives frames and untypeds only", device_objects,
		"UntypedRetype/18"},
	{"untyped-device-frame",
		"device frames exist, are no IPC buffers, and a revoke takes them back",
		device_frames, "TCBSetIPCBuffer/3"},
	{"untyped-sizes", "each kind of object uses exactly its documented size", object_sizes,
		"UntypedRetype/0"},
	{"untyped-size-ignored", "the size argument of a fixed-size kind is ignored", size_ignored,
		NULL},
	{"untyped-watermark", "the watermark is aligned up to the object size", watermark_alignment,
		NULL},
	{"untyped-consecutive", "objects of one call lie one after the other", consecutive, NULL},
	{"untyped-most", "one call makes 256 objects", most_objects, NULL},
	{"untyped-reset", "memory handed out again after a revoke is zero", reset_after_revoke,
		NULL},
	{"untyped-reset-delete", "deleting the last child resets the watermark", reset_after_delete,
		NULL},
	{"untyped-reset-large", "a reset of 32 MiB zeroes all of it", reset_large, NULL},
	{"untyped-node-deep", "objects go into the CNode named by index and depth",
		destination_node, NULL},
	{"untyped-vcpu", "a VCPU without VT-x is an illegal operation", vcpu_without_vtx,
		"UntypedRetype/8"},
};

TEST_FILE(untyped);
