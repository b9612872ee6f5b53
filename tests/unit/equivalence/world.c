// SPDX-License-Identifier: BSD-2-Clause
// Building the system, with the kernel's own functions.
#include "world.h"

#include <cpu/layout.h>
#include <cap/derive.h>
#include <cap/object.h>
#include <memory/space.h>
#include <thread/life.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MEMORY_START = 1 << 20, // physical
	CONTEXT_SIZE_BITS = 8,
	UNTYPED_SIZE_BITS = 13,
	PAGE = 1 << PAGE_BITS,
	BUFFER_ADDRESS = 0x10000,
	GUARD = 0x5a,
	SMALL_ENDPOINTS = 5, // of the small cnode's capabilities: all to one endpoint
};

// What a thread has instead of the one cnode as its space, all of it, and a guard of zeros.
enum cspace_layout { LAYOUT_FLAT, LAYOUT_GUARD, LAYOUT_TWO_LEVELS, LAYOUT_SMALL };

// One row a thread.
static const struct thread_plan {
	uint8_t layout; // enum cspace_layout
	uint8_t space;
	int8_t buffer; // -1: none
	unsigned buffer_rights;
	bool has_handlers; // of faults, and of timeouts
} plans[THREADS] = {
	{LAYOUT_FLAT, 0, 0, RIGHT_READ | RIGHT_WRITE, true},
	{LAYOUT_FLAT, 1, 1, RIGHT_READ | RIGHT_WRITE, false},
	{LAYOUT_FLAT, 0, 2, RIGHT_READ | RIGHT_WRITE, true},
	{LAYOUT_FLAT, 1, -1, 0, true},
	{LAYOUT_GUARD, 0, 0, RIGHT_READ | RIGHT_WRITE, true},
	{LAYOUT_TWO_LEVELS, 1, 1, RIGHT_READ | RIGHT_WRITE, true},
	{LAYOUT_FLAT, 0, 2, RIGHT_READ, false},
	{LAYOUT_SMALL, 1, 0, RIGHT_READ | RIGHT_WRITE, false},
};

static void *memory_take(struct world *world, const char *name, size_t size) {
	unsigned number = 0; // of this name
	void *memory;

	for (unsigned i = 0; i < world->object_count; i++)
		number += world->objects[i].name == name;
	if (world->object_count == WORLD_OBJECTS) abort();
	world->used = (world->used + size - 1) & ~(size - 1);
	memory = world->memory + world->used;
	world->objects[world->object_count++] = (struct world_object){
		name, number, (uint64_t)memory, size};
	world->used += size;
	return memory;
}

static struct cap object_make(struct world *world, enum object_type type, unsigned size_bits) {
	static const struct {
		const char *name;
		unsigned size_bits; // 0: as asked for
	} kinds[OBJECT_TYPE_COUNT] = {
		[OBJECT_UNTYPED] = {"untyped", 0},
		[OBJECT_TCB] = {"thread", TCB_BITS},
		[OBJECT_ENDPOINT] = {"endpoint", ENDPOINT_BITS},
		[OBJECT_NOTIFICATION] = {"notification", NOTIFICATION_BITS},
		[OBJECT_CNODE] = {"cnode", 0},
		[OBJECT_SCHED_CONTEXT] = {"sched_context", 0},
		[OBJECT_REPLY] = {"reply", REPLY_BITS},
		[OBJECT_PML4] = {"space", TABLE_BITS},
		[OBJECT_PAGE] = {"frame", PAGE_BITS},
	};
	unsigned bits = kinds[type].size_bits ? kinds[type].size_bits : size_bits;
	void *memory = memory_take(
		world, kinds[type].name, 1ul << (bits + (type == OBJECT_CNODE ? SLOT_BITS : 0)));

	return object_create(type, memory, bits, false);
}

static void *slot_fill(struct world *world, unsigned slot, struct cap cap) {
	derive_insert_original(&world->slots[slot], cap, NULL);
	return cap_object(&cap);
}

static void slot_mint(struct slot *source, unsigned distance, unsigned rights, uint64_t badge) {
	struct cap cap = source->cap;

	cap.rights = rights & RIGHTS_ALL;
	cap.badge = badge;
	derive_insert_copy(source + distance, cap, source);
}

static void endpoints_make(struct world *world) {
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		unsigned number = SLOT_ENDPOINT + i * ENDPOINT_VARIANTS;
		struct slot *slot = &world->slots[number];

		slot_fill(world, number, object_make(world, OBJECT_ENDPOINT, 0));
		slot_mint(slot, ENDPOINT_BADGED, RIGHTS_ALL, 0x100 + i);
		slot_mint(slot, ENDPOINT_CALL, RIGHT_WRITE | RIGHT_GRANT_REPLY, 7);
		slot_mint(slot, ENDPOINT_RECEIVE, RIGHT_READ, 0);
		slot_mint(slot, ENDPOINT_SEND, RIGHT_WRITE, 9);
		slot_mint(slot, ENDPOINT_MUTE, RIGHT_GRANT | RIGHT_GRANT_REPLY, 0);
	}
	for (unsigned i = 0; i < NOTIFICATIONS; i++) {
		unsigned number = SLOT_NOTIFICATION + i * NOTIFICATION_VARIANTS;
		struct slot *slot = &world->slots[number];

		slot_fill(world, number, object_make(world, OBJECT_NOTIFICATION, 0));
		slot_mint(slot, 1, RIGHTS_ALL, 1ul << i);
		slot_mint(slot, 2, i % 2 ? RIGHT_READ : RIGHT_WRITE, 0x80);
	}
}

static void spaces_make(struct world *world) {
	struct cap pool = asid_pool_install(memory_take(world, "asid_pool", PAGE));

	for (unsigned i = 0; i < SPACES; i++) {
		struct cap root = object_make(world, OBJECT_PML4, 0);

		(void)asid_pool_give(&pool, &root);
		slot_fill(world, SLOT_SPACE + i, root);
	}
}

static void cnodes_make(struct world *world) {
	struct cap cnode = object_make(world, OBJECT_CNODE, CSPACE_RADIX);
	struct cap top = object_make(world, OBJECT_CNODE, 1);
	struct cap small = object_make(world, OBJECT_CNODE, SMALL_RADIX);

	world->slots = cap_object(&cnode);
	cnode.cnode.guard_size = 64 - CSPACE_RADIX;
	slot_fill(world, SLOT_CNODE, cnode);
	top.cnode.guard_size = 64 - CSPACE_RADIX - 1;
	slot_fill(world, SLOT_TOP_CNODE, top);
	small.cnode.guard_size = 64 - SMALL_RADIX;
	slot_fill(world, SLOT_SMALL_CNODE, small);
	cnode.cnode.guard_size = 0;
	derive_insert_copy(cap_object(&top), cnode, &world->slots[SLOT_CNODE]);
	small.cnode.guard_size = CSPACE_RADIX - SMALL_RADIX;
	derive_insert_copy(
		(struct slot *)cap_object(&top) + 1, small, &world->slots[SLOT_SMALL_CNODE]);
}

// The small cnode holds what a client needs.
static void small_cnode_fill(struct world *world) {
	struct slot *small = cap_object(&world->slots[SLOT_SMALL_CNODE].cap);

	for (unsigned i = 1; i < 1 << SMALL_RADIX; i++) {
		struct slot *source =
			&world->slots[i <= SMALL_ENDPOINTS ? SLOT_ENDPOINT + i - 1
							   : SLOT_REPLY + i - SMALL_ENDPOINTS - 1];

		derive_insert_copy(&small[i], source->cap, source);
	}
}

static void cspace_give(struct world *world, struct thread *thread, enum cspace_layout layout) {
	static const uint8_t cnodes[] = {[LAYOUT_FLAT] = SLOT_CNODE,
		[LAYOUT_GUARD] = SLOT_CNODE,
		[LAYOUT_TWO_LEVELS] = SLOT_TOP_CNODE,
		[LAYOUT_SMALL] = SLOT_SMALL_CNODE};
	struct slot *source = &world->slots[cnodes[layout]];
	struct cap cap = source->cap;

	if (layout == LAYOUT_GUARD) cap.cnode.guard = GUARD;
	thread_fill_slot(&thread->slots[THREAD_CSPACE], cap, source);
}

static void buffer_give(
	struct world *world, struct thread *thread, const struct thread_plan *plan) {
	struct slot *source = &world->slots[SLOT_FRAME];
	struct cap cap = source->cap;

	if (plan->buffer < 0) return;
	cap.rights = plan->buffer_rights & 0xf;
	thread->buffer_address = BUFFER_ADDRESS + ((unsigned)plan->buffer << IPC_BUFFER_BITS);
	thread_fill_slot(&thread->slots[THREAD_BUFFER], cap, source);
}

static void threads_make(struct world *world) {
	for (unsigned i = 0; i < THREADS; i++) {
		const struct thread_plan *plan = &plans[i];
		struct slot *space = &world->slots[SLOT_SPACE + plan->space];
		struct slot *handler = &world->slots[SLOT_ENDPOINT +
			i % ENDPOINTS * ENDPOINT_VARIANTS + ENDPOINT_CALL];
		struct thread *thread = slot_fill(
			world, SLOT_THREAD + i, object_make(world, OBJECT_TCB, 0));

		world->threads[i] = thread;
		thread->max_priority = UINT8_MAX;
		thread->context.rip = 0x400000;
		thread->context.fs_base = 0x1000 * i;
		thread->context.gs_base = 0x1000 * i + 8;
		cspace_give(world, thread, plan->layout);
		thread_fill_slot(&thread->slots[THREAD_SPACE], space->cap, space);
		buffer_give(world, thread, plan);
		if (!plan->has_handlers) continue;
		thread_fill_slot(&thread->slots[THREAD_FAULT_HANDLER], handler->cap, handler);
		thread_fill_slot(&thread->slots[THREAD_TIMEOUT_HANDLER], handler->cap, handler);
	}
}

void world_make(struct world *world) {
	struct cap untyped, frame;

	world->memory = physical_pointer(physical(MEMORY_START));
	cnodes_make(world);
	endpoints_make(world);
	for (unsigned i = 0; i < REPLIES; i++)
		world->replies[i] = slot_fill(
			world, SLOT_REPLY + i, object_make(world, OBJECT_REPLY, 0));
	for (unsigned i = 0; i < CONTEXTS; i++)
		world->contexts[i] = slot_fill(world, SLOT_CONTEXT + i,
			object_make(world, OBJECT_SCHED_CONTEXT, CONTEXT_SIZE_BITS));
	spaces_make(world);
	frame = object_make(world, OBJECT_PAGE, 0);
	slot_fill(world, SLOT_FRAME, frame);
	for (unsigned i = 0; i < BUFFERS; i++)
		world->buffers[i] = (struct ipc_buffer *)cap_object(&frame) + i;
	for (unsigned i = 0; i < host.core_count; i++) {
		struct cap control = cap_make(CAP_SCHED_CONTROL, NULL);

		control.word = i;
		slot_fill(world, SLOT_SCHED_CONTROL + i, control);
	}
	untyped = object_make(world, OBJECT_UNTYPED, UNTYPED_SIZE_BITS);
	slot_fill(world, SLOT_UNTYPED, untyped);
	small_cnode_fill(world);
	threads_make(world);
}

unsigned world_number(const struct world *world, const struct thread *thread) {
	unsigned i = 0;

	while (i < THREADS && world->threads[i] != thread)
		i++;
	return i;
}

// As small_cnode_fill puts them.
static uint64_t small_address(unsigned slot) {
	unsigned reply = slot - SLOT_REPLY;

	if (reply < REPLIES) return SMALL_ENDPOINTS + 1 + reply % 2;
	return 1 + (slot - SLOT_ENDPOINT) % ENDPOINT_VARIANTS % SMALL_ENDPOINTS;
}

uint64_t world_address(const struct world *world, const struct thread *thread, unsigned slot) {
	unsigned number = world_number(world, thread);

	if (number == THREADS) return slot;
	if (plans[number].layout == LAYOUT_GUARD) return (uint64_t)GUARD << CSPACE_RADIX | slot;
	if (plans[number].layout == LAYOUT_SMALL) return small_address(slot);
	// What the small cnode holds, too, is found there, through the second slot of the top.
	if (plans[number].layout == LAYOUT_TWO_LEVELS && slot - SLOT_ENDPOINT < SMALL_ENDPOINTS)
		return CSPACE_SLOTS | small_address(slot);
	return slot;
}

typedef bool slot_test(const struct slot *slot, unsigned type);

static bool slot_has(const struct slot *slot, unsigned type) { return slot->cap.type == type; }

static bool slot_is_filled(const struct slot *slot, unsigned) { return !slot_is_empty(slot); }

// The first that fits from a random one on.
static unsigned slot_find(
	const struct world *world, struct chance *chance, slot_test *test, unsigned type) {
	unsigned start = chance_below(chance, CSPACE_SLOTS);

	for (unsigned i = 0; i < CSPACE_SLOTS; i++) {
		unsigned slot = (start + i) % CSPACE_SLOTS;

		if (test(&world->slots[slot], type)) return slot;
	}
	return SLOT_NONE;
}

unsigned world_slot_of(const struct world *world, struct chance *chance, enum cap_type type) {
	return slot_find(world, chance, slot_has, type);
}

unsigned world_slot_filled(const struct world *world, struct chance *chance) {
	return slot_find(world, chance, slot_is_filled, 0);
}

unsigned world_slot_free(const struct world *world, struct chance *chance) {
	unsigned slot = SLOT_FREE + chance_below(chance, CSPACE_SLOTS - SLOT_FREE);

	return slot_is_empty(&world->slots[slot]) ? slot
						  : slot_find(world, chance, slot_has, CAP_NULL);
}

const struct world_object *world_object_at(const struct world *world, const void *address) {
	for (unsigned i = 0; i < world->object_count; i++) {
		const struct world_object *object = &world->objects[i];

		if ((uint64_t)address - object->start < object->size) return object;
	}
	return NULL;
}
