// SPDX-License-Identifier: BSD-2-Clause
// The system under test: threads, what they talk through, and capability spaces of four layouts.
#pragma once

#include "../host/host.h"
#include "chance.h"

#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <ipc/reply.h>
#include <sched/sched_context.h>

enum {
	THREADS = 8,
	ENDPOINTS = 3,
	REPLIES = 6,
	NOTIFICATIONS = 3,
	CONTEXTS = 5,
	SPACES = 2,
	BUFFERS = 3, // shared by threads; some have none
	CSPACE_RADIX = 7,
	CSPACE_SLOTS = 1 << CSPACE_RADIX,
	SMALL_RADIX = 3,
	WORLD_OBJECTS = 48,
	PRIORITY_RANGE = 5,
};

// Slots of the one cnode that all spaces lead to.
enum {
	SLOT_NONE = 0, // stays empty, mostly
	SLOT_ENDPOINT, // ENDPOINT_VARIANTS for each
	ENDPOINT_VARIANTS = 6,
	SLOT_NOTIFICATION = SLOT_ENDPOINT + ENDPOINTS * ENDPOINT_VARIANTS, // three for each
	NOTIFICATION_VARIANTS = 3,
	SLOT_REPLY = SLOT_NOTIFICATION + NOTIFICATIONS * NOTIFICATION_VARIANTS,
	SLOT_THREAD = SLOT_REPLY + REPLIES,
	SLOT_CONTEXT = SLOT_THREAD + THREADS,
	SLOT_SPACE = SLOT_CONTEXT + CONTEXTS,
	SLOT_FRAME = SLOT_SPACE + SPACES,
	SLOT_CNODE = SLOT_FRAME + 1,
	SLOT_TOP_CNODE,
	SLOT_SMALL_CNODE,
	SLOT_SCHED_CONTROL, // one for each core
	SLOT_UNTYPED = SLOT_SCHED_CONTROL + HOST_CORES,
	SLOT_FREE,
};

_Static_assert(SLOT_FREE < CSPACE_SLOTS / 2);

// Capabilities to one endpoint.
enum {
	ENDPOINT_ALL,
	ENDPOINT_BADGED,
	ENDPOINT_CALL,
	ENDPOINT_RECEIVE,
	ENDPOINT_SEND,
	ENDPOINT_MUTE
};

// Name and place, for reports.
struct world_object {
	const char *name;
	unsigned number;
	uint64_t start, size;
};

struct world {
	uint8_t *memory; // of all objects
	size_t used;
	struct thread *threads[THREADS];
	struct reply *replies[REPLIES];
	struct sched_context *contexts[CONTEXTS];
	struct slot *slots; // CSPACE_SLOTS
	struct ipc_buffer *buffers[BUFFERS];
	struct world_object objects[WORLD_OBJECTS];
	unsigned object_count;
};

// Threads are inactive, contexts unbound and not configured.
void world_make(struct world *world);

// The number of a thread; THREADS if it is none of the first ones.
unsigned world_number(const struct world *world, const struct thread *thread);

// Where a thread finds a slot of the one cnode.
uint64_t world_address(const struct world *world, const struct thread *thread, unsigned slot);

// A slot with a capability of this type, or SLOT_NONE; any filled slot.
unsigned world_slot_of(const struct world *world, struct chance *chance, enum cap_type type);
unsigned world_slot_filled(const struct world *world, struct chance *chance);
unsigned world_slot_free(const struct world *world, struct chance *chance);

// The object at an address; null: none of the world.
const struct world_object *world_object_at(const struct world *world, const void *address);
