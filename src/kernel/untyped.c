// SPDX-License-Identifier: BSD-2-Clause
// Untyped memory and retype.
//
// Memory is cleared before objects are made of it, in chunks, between which the call may be
// preempted. What is done is remembered in the capability as whole chunks from the watermark on:
//
//   object |  handed out  | known zero: `cleared` chunks | unknown          |
//          0          watermark                                        size
//
// That is a fact about the memory, not about the call, so a restarted call with another message
// finds it as true as the same call does.
#include <base/bits.h>
#include <base/memory.h>
#include <cpu/apic.h>
#include <kernel/derive.h>
#include <kernel/invocation.h>
#include <kernel/object.h>

enum { CHUNK = 256 * 1024, CLEARED_MAX = (1 << 20) - 1 };

// What a checked Retype will do.
struct retype {
	enum object_type type;
	unsigned size_bits; // as the caller said, or the fixed size
	unsigned object_bits; // memory of one object
	uint64_t count;
	struct slot *first;
	uint64_t start; // offsets in the untyped
	uint64_t end;
};

struct cap object_create(
	enum object_type type, void *memory, unsigned size_bits, uint64_t is_device) {
	const struct object_kind *kind = &object_kinds[type];
	struct cap cap = cap_make(kind->type, memory);

	cap.size_bits = size_bits & 63;
	cap.device = is_device & 1;
	cap.map.format = kind->format & 3u;
	cap.map.level = kind->level & 3u;
	if (kind->init) kind->init(memory);
	return cap;
}

// Only an untyped without children may be copied (semantics.md B1).
enum error untyped_derive(const struct slot *slot, struct cap *) {
	return derive_has_child(slot) ? ERROR_REVOKE_FIRST : ERROR_NONE;
}

static uint64_t untyped_watermark(const struct slot *slot) {
	return derive_has_child(slot) ? (uint64_t)slot->cap.untyped.watermark << UNTYPED_MIN_BITS
				      : 0;
}

uint64_t untyped_free_bytes(const struct slot *slot) {
	return (1ul << slot->cap.size_bits) - untyped_watermark(slot);
}

// Type and size: words 0 and 1.
static enum error retype_read_kind(struct invocation *invocation, struct retype *retype) {
	uint64_t type = invocation_word(invocation, 0);
	uint64_t size_bits = invocation_word(invocation, 1);
	const struct object_kind *kind;

	if (type >= OBJECT_TYPE_COUNT) return error_argument(invocation, 0);
	if (size_bits >= 64) return error_range(invocation, 0, UNTYPED_MAX_BITS);
	kind = &object_kinds[type];
	retype->type = (enum object_type)type;
	retype->size_bits = kind->size_bits ? kind->size_bits : (unsigned)size_bits;
	retype->object_bits = retype->size_bits + (type == OBJECT_CNODE ? SLOT_BITS : 0u);
	if (retype->object_bits > UNTYPED_MAX_BITS)
		return error_range(invocation, 0, UNTYPED_MAX_BITS);
	if ((type == OBJECT_CNODE && size_bits == 0) ||
		(type == OBJECT_UNTYPED && size_bits < UNTYPED_MIN_BITS) ||
		(type == OBJECT_SCHED_CONTEXT && size_bits < SCHED_CONTEXT_MIN_BITS))
		return error_argument(invocation, 1);
	return object_is_available(retype->type) ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

// The cnode that gets the new capabilities: extra capability 0, or what words 2 and 3 name in it.
static enum error retype_find_cnode(struct invocation *invocation, struct slot **cnode) {
	uint64_t depth = invocation_word(invocation, 3);
	enum error error = ERROR_NONE;

	*cnode = invocation->caps[0];
	if (depth != 0)
		error = invocation_slot(invocation, LOOKUP_TARGET, &(*cnode)->cap, 2, cnode);
	if (error || (*cnode)->cap.type == CAP_CNODE) return error;
	return error_missing(invocation, LOOKUP_TARGET, (unsigned)depth);
}

// The window of slots: words 4 and 5.
static enum error retype_read_window(struct invocation *invocation, struct retype *retype) {
	uint64_t offset = invocation_word(invocation, 4);
	struct slot *cnode;
	uint64_t slots;
	enum error error = retype_find_cnode(invocation, &cnode);

	if (error) return error;
	retype->count = invocation_word(invocation, 5);
	slots = cnode_slot_count(&cnode->cap);
	if (offset > slots - 1) return error_range(invocation, 0, slots - 1);
	if (retype->count < 1 || retype->count > RETYPE_MAX_OBJECTS)
		return error_range(invocation, 1, RETYPE_MAX_OBJECTS);
	if (retype->count > slots - offset) return error_range(invocation, 1, slots - offset);
	retype->first = (struct slot *)cap_object(&cnode->cap) + offset;
	for (uint64_t i = 0; i < retype->count; i++)
		if (!slot_is_empty(&retype->first[i])) return ERROR_DELETE_FIRST;
	return ERROR_NONE;
}

// Where in the untyped the objects go.
static enum error retype_place(struct invocation *invocation, struct retype *retype) {
	const struct slot *untyped = invocation->slot;
	uint64_t available = untyped_free_bytes(untyped);

	if (available >> retype->object_bits < retype->count)
		return invocation_end(invocation, ERROR_NOT_ENOUGH_MEMORY, available);
	if (untyped->cap.device && !object_kinds[retype->type].on_device)
		return error_argument(invocation, 1);
	// The untyped's end is aligned to the object size, so aligning up loses less than the
	// remainder of the division above.
	retype->start = align_up(untyped_watermark(untyped), 1ul << retype->object_bits);
	retype->end = retype->start + (retype->count << retype->object_bits);
	return ERROR_NONE;
}

// Makes the memory of retype zero. Bytes before its start are cleared too when progress must be
// remembered, for the known zero part to begin at the watermark.
static enum error retype_clear(struct slot *untyped, const struct retype *retype) {
	uint8_t *memory = cap_object(&untyped->cap);
	uint64_t watermark = untyped_watermark(untyped);
	uint64_t zero = watermark + (uint64_t)untyped->cap.untyped.cleared * CHUNK;

	if (retype->end <= zero) return ERROR_NONE;
	if (retype->end - watermark <= CHUNK) {
		memset(memory + retype->start, 0, retype->end - retype->start);
		return ERROR_NONE;
	}
	while (retype->end - zero > CHUNK && untyped->cap.untyped.cleared < CLEARED_MAX) {
		memset(memory + zero, 0, CHUNK);
		zero += CHUNK;
		untyped->cap.untyped.cleared++;
		if (preempt_wanted()) return ERROR_PREEMPTED;
	}
	memset(memory + zero, 0, retype->end - zero);
	return ERROR_NONE;
}

static void retype_create(struct slot *untyped, const struct retype *retype) {
	uint8_t *memory = (uint8_t *)cap_object(&untyped->cap) + retype->start;
	uint64_t zero = untyped_watermark(untyped) + (uint64_t)untyped->cap.untyped.cleared * CHUNK;
	uint64_t cleared = zero > retype->end ? (zero - retype->end) / CHUNK : 0;

	for (uint64_t i = 0; i < retype->count; i++, memory += 1ul << retype->object_bits)
		derive_insert_original(&retype->first[i],
			object_create(retype->type, memory, retype->size_bits, untyped->cap.device),
			untyped);
	untyped->cap.untyped.watermark = retype->end >> UNTYPED_MIN_BITS & 0x7ffffffffff;
	untyped->cap.untyped.cleared = cleared & CLEARED_MAX;
}

enum error untyped_retype(struct invocation *invocation) {
	struct slot *untyped = invocation->slot;
	struct retype retype = {};
	enum error error = retype_read_kind(invocation, &retype);

	if (!error) error = retype_read_window(invocation, &retype);
	if (!error) error = retype_place(invocation, &retype);
	if (error) return error;
	if (!derive_has_child(untyped) && untyped->cap.untyped.watermark != 0) {
		untyped->cap.untyped.watermark = 0;
		untyped->cap.untyped.cleared = 0;
	}
	if (!untyped->cap.device && !object_kinds[retype.type].keep)
		error = retype_clear(untyped, &retype);
	if (!error) retype_create(untyped, &retype);
	return error;
}
