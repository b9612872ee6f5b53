// SPDX-License-Identifier: BSD-2-Clause
// Retype: the errors in their order, placement, and memory that is cleared once and only once.
#include "test.h"
#include "world.h"

#include <cap/object.h>
#include <string.h>

enum {
	BITS = 22,
	CHUNK = 256 * 1024,
	CNODE_SLOT = 100,
	ENDPOINT_SLOT = 101,
};

static struct call retype(uint64_t type, uint64_t size, uint64_t offset, uint64_t count) {
	return (struct call){.slot = 0,
		.label = LABEL_UNTYPED_RETYPE,
		.length = 6,
		.caps = 1,
		.words = {type, size, 0, 0, offset, count},
		.cap_slots = {CNODE_SLOT}};
}

// A cnode of 16 slots in CNODE_SLOT, made of memory outside the untyped under test.
static void start(void) {
	struct cap cap = cap_make(CAP_CNODE, physical_pointer(physical(8 << 20)));

	world_start(BITS);
	cap.size_bits = 4;
	derive_insert_original(&world.slots[CNODE_SLOT], cap, NULL);
	derive_insert_original(&world.slots[ENDPOINT_SLOT],
		cap_make(CAP_ENDPOINT, physical_pointer(physical(9 << 20))), NULL);
}

static struct slot *node_slot(unsigned i) {
	return (struct slot *)cap_object(&world.slots[CNODE_SLOT].cap) + i;
}

static enum error call_now(struct call call) { return world_call(&call); }

static bool is_range(enum error error, uint64_t low, uint64_t high) {
	return error == ERROR_RANGE && payload(0) == low && payload(1) == high;
}

static bool is_argument(enum error error, uint64_t number) {
	return error == ERROR_INVALID_ARGUMENT && payload(0) == number;
}

static void kind_errors(void) {
	struct call call = retype(OBJECT_PAGE, 0, 0, 1);

	start();
	call.length = 5;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.length = 6;
	call.caps = 0;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	check(is_argument(call_now(retype(OBJECT_TYPE_COUNT, 64, 0, 1)), 0));
	check(is_argument(call_now(retype(~0ul, 0, 0, 1)), 0));
	check(is_range(call_now(retype(OBJECT_ENDPOINT, 64, 0, 1)), 0, 47));
	check(is_range(call_now(retype(OBJECT_UNTYPED, 48, 0, 1)), 0, 47));
	check(is_range(call_now(retype(OBJECT_CNODE, 43, 0, 1)), 0, 47));
	check(is_argument(call_now(retype(OBJECT_CNODE, 0, 0, 1)), 1));
	check(is_argument(call_now(retype(OBJECT_UNTYPED, 3, 0, 1)), 1));
	check(is_argument(call_now(retype(OBJECT_SCHED_CONTEXT, 6, 0, 1)), 1));
	host.has_vmx = false;
	check(call_now(retype(OBJECT_VCPU, 0, 0, 1)) == ERROR_ILLEGAL_OPERATION);
	host.has_vmx = true;
	check(call_now(retype(OBJECT_VCPU, 0, 0, 1)) == ERROR_NONE);
	check(call_now(retype(OBJECT_ENDPOINT, 63, 1, 1)) == ERROR_NONE);
}

static void window_errors(void) {
	struct call call = retype(OBJECT_ENDPOINT, 0, 0, 1);

	start();
	call.cap_slots[0] = ENDPOINT_SLOT;
	check(world_call(&call) == ERROR_FAILED_LOOKUP);
	check(payload(0) == 0 && payload(1) == LOOKUP_MISSING_CAPABILITY && payload(2) == 0);
	call.words[3] = 4;
	check(world_call(&call) == ERROR_FAILED_LOOKUP && payload(1) == LOOKUP_INVALID_ROOT);
	call.cap_slots[0] = CNODE_SLOT;
	call.words[3] = 65;
	check(is_range(world_call(&call), 1, 64));
	call.words[3] = 3;
	check(world_call(&call) == ERROR_FAILED_LOOKUP && payload(1) == LOOKUP_DEPTH_MISMATCH);
	call.words[3] = 4;
	check(world_call(&call) == ERROR_FAILED_LOOKUP);
	check(payload(1) == LOOKUP_MISSING_CAPABILITY && payload(2) == 4);
	check(is_range(call_now(retype(OBJECT_ENDPOINT, 0, 16, 0)), 0, 15));
	check(is_range(call_now(retype(OBJECT_ENDPOINT, 0, 0, 0)), 1, 256));
	check(is_range(call_now(retype(OBJECT_ENDPOINT, 0, 0, 257)), 1, 256));
	check(is_range(call_now(retype(OBJECT_ENDPOINT, 0, 12, 5)), 1, 4));
	check(call_now(retype(OBJECT_ENDPOINT, 0, 12, 4)) == ERROR_NONE);
	check(call_now(retype(OBJECT_HUGE_PAGE, 0, 10, 3)) == ERROR_DELETE_FIRST);
	check(call_now(retype(OBJECT_HUGE_PAGE, 0, 0, 1)) == ERROR_NOT_ENOUGH_MEMORY);
	check(payload(0) == (1ul << BITS) - 4 * 16);
}

static void placement(void) {
	char *memory = physical_pointer(physical(16 << 20));

	start();
	check(call_now(retype(OBJECT_ENDPOINT, 0, 0, 1)) == ERROR_NONE);
	check(call_now(retype(OBJECT_PAGE, 0, 1, 2)) == ERROR_NONE);
	check(call_now(retype(OBJECT_ENDPOINT, 0, 3, 1)) == ERROR_NONE);
	check((char *)cap_object(&node_slot(0)->cap) == memory);
	check((char *)cap_object(&node_slot(1)->cap) == memory + 4096);
	check((char *)cap_object(&node_slot(2)->cap) == memory + 8192);
	check((char *)cap_object(&node_slot(3)->cap) == memory + 12288);
	check(untyped_free_bytes(&world.slots[0]) == (1ul << BITS) - 12288 - 16);
	// 2 MiB: fits the free bytes once, and the aligned place too.
	check(call_now(retype(OBJECT_LARGE_PAGE, 0, 4, 2)) == ERROR_NOT_ENOUGH_MEMORY);
	check(call_now(retype(OBJECT_LARGE_PAGE, 0, 4, 1)) == ERROR_NONE);
	check(untyped_free_bytes(&world.slots[0]) == 0);
	check(slot_revoke(&world.slots[0]) == ERROR_NONE);
	check(call_now(retype(OBJECT_LARGE_PAGE, 0, 4, 2)) == ERROR_NONE);
	check((char *)cap_object(&node_slot(4)->cap) == memory);
}

static bool is_filled(const unsigned char *memory, uint64_t size, unsigned char value) {
	for (uint64_t i = 0; i < size; i++)
		if (memory[i] != value) return false;
	return true;
}

static void clearing(void) {
	unsigned char *memory = physical_pointer(physical(16 << 20));

	start();
	memset(memory, 0xaa, 1 << BITS);
	check(call_now(retype(OBJECT_PAGE, 0, 0, 3)) == ERROR_NONE);
	check(is_filled(memory, 3 * 4096, 0));
	check(is_filled(memory + 3 * 4096, 4096, 0xaa));
	check(call_now(retype(OBJECT_UNTYPED, 13, 3, 1)) == ERROR_NONE);
	check(memory[4 * 4096] == 0xaa);
	check(slot_revoke(&world.slots[0]) == ERROR_NONE);
	memset(memory, 0xbb, 1 << BITS);
	world.slots[0].cap.device = 1;
	check(is_argument(call_now(retype(OBJECT_ENDPOINT, 0, 0, 1)), 1));
	check(call_now(retype(OBJECT_LARGE_PAGE, 0, 0, 1)) == ERROR_NONE);
	check(memory[0] == 0xbb && node_slot(0)->cap.device);
}

// The same call restarted makes progress, a different one in between sees true facts.
static void preemption(void) {
	unsigned char *memory = physical_pointer(physical(16 << 20));
	struct call large = retype(OBJECT_LARGE_PAGE, 0, 0, 1);
	unsigned stops = 0;

	start();
	memset(memory, 0xaa, 1 << BITS);
	host.preempt_period = 1;
	while (world_call(&large) == ERROR_PREEMPTED)
		check(++stops < 16 && slot_is_empty(node_slot(0)));
	check(stops == (2 << 20) / CHUNK - 1);
	check(is_filled(memory, 2 << 20, 0) && memory[2 << 20] == 0xaa);
	while (slot_revoke(&world.slots[0]) == ERROR_PREEMPTED)
		check(++stops < 100);

	memset(memory, 0xaa, 1 << BITS);
	check(world_call(&large) == ERROR_PREEMPTED && world_call(&large) == ERROR_PREEMPTED);
	check(call_now(retype(OBJECT_PAGE, 0, 1, 1)) == ERROR_NONE);
	check(is_filled(memory, 4096, 0));
	memset(memory, 0xcc, 4096);
	check(call_now(retype(OBJECT_PAGE, 0, 2, 14)) == ERROR_NONE);
	check(is_filled(memory + 4096, 14 * 4096, 0) && memory[0] == 0xcc);
	check(world_call_to_end(&large) == ERROR_NONE);
	check(is_filled(memory + (2 << 20), 2 << 20, 0));
	while (slot_revoke(&world.slots[0]) == ERROR_PREEMPTED)
		check(++stops < 100);
	memset(memory, 0xdd, 1 << BITS);
	check(world_call_to_end(&large) == ERROR_NONE && is_filled(memory, 2 << 20, 0));
}

// Whatever is asked for and however often it is stopped: memory that is handed out is zero.
static void random_retypes(void) {
	static const enum object_type kinds[] = {
		OBJECT_PAGE, OBJECT_LARGE_PAGE, OBJECT_ENDPOINT, OBJECT_UNTYPED};
	unsigned made = 0;

	start();
	memset(physical_pointer(physical(16 << 20)), 0xaa, 1 << BITS);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned slot = random_below(16);
		unsigned bits = 12 + random_below(10);
		enum object_type kind = kinds[random_below(4)];
		unsigned size = kind == OBJECT_LARGE_PAGE ? 21
			: kind == OBJECT_PAGE             ? 12
			: kind == OBJECT_ENDPOINT         ? 4
							  : bits;

		host.preempt_period = random_below(4);
		if (random_below(12) == 0)
			check(slot_revoke(&world.slots[0]) != ERROR_RANGE);
		else if (random_below(6) == 0)
			check(slot_delete(node_slot(slot)) == ERROR_NONE);
		if (call_now(retype(kind, bits, slot, 1)) != ERROR_NONE) continue;
		made++;
		if (kind != OBJECT_UNTYPED)
			check(is_filled(cap_object(&node_slot(slot)->cap), 1ul << size, 0));
		memset(cap_object(&node_slot(slot)->cap), kind == OBJECT_ENDPOINT ? 0 : 0xee,
			1ul << size);
	}
	check(made > 1000);
}

static void copies(void) {
	struct slot *untyped;
	struct slot *copy;
	struct cap cap;

	start();
	untyped = &world.slots[0];
	copy = &world.slots[1];
	cap = untyped->cap;
	check(object_derive(untyped, &cap) == ERROR_NONE);
	derive_insert_copy(copy, cap, untyped);
	check(untyped_free_bytes(untyped) == 0 && untyped_free_bytes(copy) == 1ul << BITS);
	check(call_now(retype(OBJECT_ENDPOINT, 0, 0, 1)) == ERROR_NOT_ENOUGH_MEMORY);
	check(payload(0) == 0);
	check(object_derive(untyped, &cap) == ERROR_REVOKE_FIRST);
	check(slot_delete(copy) == ERROR_NONE);
	check(call_now(retype(OBJECT_ENDPOINT, 0, 0, 1)) == ERROR_NONE);
}

static const struct test rows[] = {
	{"UNTYPED001", "a bad type or size is refused in the order of the ABI", kind_errors},
	{"UNTYPED002", "a bad window of slots is refused in the order of the ABI", window_errors},
	{"UNTYPED003", "objects are aligned, consecutive, and start over without children",
		placement},
	{"UNTYPED004", "memory is cleared, but not untyped or device memory", clearing},
	{"UNTYPED005", "a stopped retype continues, whatever was asked meanwhile", preemption},
	{"UNTYPED006", "random retypes never hand out a byte that is not zero", random_retypes},
	{"UNTYPED007", "a copied untyped is full until the copy is gone", copies},
};

TESTS(untyped_tests);
