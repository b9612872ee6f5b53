// SPDX-License-Identifier: BSD-2-Clause
// Untyped memory and retype.
//
// Memory is cleared before objects are made of it, in chunks, between which the call may be
// preempted. Progress is kept in the capability as whole chunks from the watermark on:
//
//   object |  handed out  | known zero: `cleared` chunks | unknown          |
//          0          watermark                                        size
//
// That is a property of the memory, not of the call, so it also holds for a restarted call with
// another message.
#include <cap/invocation.h>
#include <cpu/platform.h>

enum { CHUNK = 256 * 1024, CLEARED_MAX = (1 << 20) - 1 };

// What a checked Retype does.
struct retype {
	const struct object_kind *kind;
	uint64_t size; // of a kind that has none of its own, as it is in a capability's head
	unsigned object_bits; // memory of one object
	uint64_t count;
	struct slot *first;
	uint64_t watermark; // offsets in the untyped
	uint64_t start, end;
};

// Only an untyped without children may be copied (CAP-8).
enum error untyped_derive(const struct slot *slot, struct cap *) {
	return derive_has_child(slot) ? ERROR_REVOKE_FIRST : ERROR_NONE;
}

// Without children all memory is free again. An untyped is an original whatever it was made of, so
// this is derive_has_child().
static uint64_t untyped_watermark(const struct slot *slot) {
	uint64_t units = slot->cap.untyped.watermark;
	const struct slot *next = slot_next(slot);

	if (!units || !next || !cap_covers(&slot->cap, &next->cap)) return 0;
	return units << UNTYPED_MIN_BITS;
}

// The size argument of a kind without a size of its own.
static enum error retype_read_size(
	struct invocation *invocation, struct retype *retype, uint64_t size_bits) {
	uint64_t type = retype->kind->cap.type;
	unsigned least = type == CAP_UNTYPED ? UNTYPED_MIN_BITS
		: type == CAP_SCHED_CONTEXT  ? SCHED_CONTEXT_MIN_BITS
					     : 1u;

	retype->size = (struct cap){.size_bits = size_bits & 63}.head;
	retype->object_bits = (unsigned)size_bits + (type == CAP_CNODE ? SLOT_BITS : 0u);
	if (retype->object_bits > UNTYPED_MAX_BITS)
		return error_range(invocation, 0, UNTYPED_MAX_BITS);
	return size_bits < least ? error_argument(invocation, 1) : ERROR_NONE;
}

// Type and size: words 0 and 1.
static enum error retype_read_kind(struct invocation *invocation, struct retype *retype) {
	uint64_t type = invocation_word(invocation, 0), size_bits = invocation_word(invocation, 1);
	const struct object_kind *kind;

	if (type >= OBJECT_TYPE_COUNT) return error_argument(invocation, 0);
	if (size_bits >= 64) return error_range(invocation, 0, UNTYPED_MAX_BITS);
	kind = &object_kinds[type];
	retype->kind = kind;
	if (kind->size_bits == 0) return retype_read_size(invocation, retype, size_bits);
	retype->size = 0;
	retype->object_bits = kind->size_bits;
	return !kind->is_available || kind->is_available() ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

// The cnode that gets the new capabilities: extra capability 0, or what words 2 and 3 name in it.
static enum error retype_find_cnode(struct invocation *invocation, struct slot **cnode) {
	uint64_t depth = invocation_word(invocation, 3);
	enum error error = ERROR_NONE;

	*cnode = invocation->caps[0];
	if (depth != 0)
		error = invocation_slot(invocation, LOOKUP_TARGET, &(*cnode)->cap, 2, cnode);
	if (error || likely((*cnode)->cap.type == CAP_CNODE)) return error;
	return error_missing(invocation, LOOKUP_TARGET, (unsigned)depth);
}

// The range of slots: words 4 and 5.
static enum error retype_read_window(struct invocation *invocation, struct retype *retype) {
	uint64_t offset = invocation_word(invocation, 4), slots;
	struct slot *cnode;
	enum error error = retype_find_cnode(invocation, &cnode);

	if (error) return error;
	retype->count = invocation_word(invocation, 5);
	slots = cnode_slot_count(&cnode->cap);
	if (offset > slots - 1) return error_range(invocation, 0, slots - 1);
	if (retype->count < 1 || retype->count > RETYPE_MAX_OBJECTS)
		return error_range(invocation, 1, RETYPE_MAX_OBJECTS);
	if (retype->count > slots - offset) return error_range(invocation, 1, slots - offset);
	retype->first = (struct slot *)cap_object(&cnode->cap) + offset;
	for (uint64_t i = retype->count; i > 0; i--)
		if (unlikely(!slot_is_empty(&retype->first[i - 1]))) return ERROR_DELETE_FIRST;
	return ERROR_NONE;
}

// Where in the untyped the objects go.
static enum error retype_place(struct invocation *invocation, struct retype *retype) {
	const struct slot *untyped = invocation->slot;
	uint64_t watermark = retype->watermark;
	uint64_t available = (1ul << untyped->cap.size_bits) - watermark;

	if (unlikely(available >> retype->object_bits < retype->count))
		return invocation_end(invocation, ERROR_NOT_ENOUGH_MEMORY, available);
	if (unlikely(untyped->cap.device) && !retype->kind->on_device)
		return error_argument(invocation, 1);
	// The untyped's end is aligned to the object size, so aligning up loses less than the
	// remainder of the division above.
	retype->start = align_up(watermark, 1ul << retype->object_bits);
	retype->end = retype->start + (retype->count << retype->object_bits);
	return ERROR_NONE;
}

// Clears the memory up to the end of retype in chunks. Bytes before its start are cleared too, so
// that the known zero part begins at the watermark.
static enum error retype_clear_chunks(struct cap *untyped, const struct retype *retype) {
	uint8_t *memory = cap_object(untyped);
	uint64_t zero = retype->watermark + (uint64_t)untyped->untyped.cleared * CHUNK;

	while (retype->end - zero > CHUNK && untyped->untyped.cleared < CLEARED_MAX) {
		memory_clear(memory + zero, CHUNK);
		zero += CHUNK;
		untyped->word += (struct cap){.untyped = {.cleared = 1}}.word;
		if (preempt_wanted() || lock_is_wanted(this_cpu()->platform))
			return ERROR_PREEMPTED;
	}
	memory_clear(memory + zero, retype->end - zero);
	return ERROR_NONE;
}

// Makes the memory of retype zero.
static enum error retype_clear(struct cap *untyped, const struct retype *retype) {
	uint64_t used = retype->end - retype->watermark;

	if (used <= (uint64_t)untyped->untyped.cleared * CHUNK) return ERROR_NONE;
	if (used > CHUNK) return retype_clear_chunks(untyped, retype);
	memory_clear((uint8_t *)cap_object(untyped) + retype->start, retype->end - retype->start);
	return ERROR_NONE;
}

static void retype_create(struct slot *untyped, const struct retype *retype) {
	const struct cap device = {.device = 1};
	uint8_t *memory = (uint8_t *)cap_object(&untyped->cap) + retype->start;
	struct slot *slot = retype->first;
	struct cap cap = retype->kind->cap;

	cap.head |= cap_head_of(memory) | retype->size | (untyped->cap.head & device.head);
	for (uint64_t left = retype->count; left > 0; left--) {
		if (retype->kind->init) retype->kind->init(cap_object(&cap));
		derive_insert_original(slot++, cap, untyped);
		cap.head += cap_head_of((void *)(1ul << retype->object_bits));
	}
}

// Everything below the end of retype is handed out. The known zero part may reach further.
static void retype_advance(struct cap *untyped, const struct retype *retype) {
	uint64_t cleared = untyped->untyped.cleared;

	untyped->word = retype->end >> UNTYPED_MIN_BITS;
	if (unlikely(cleared)) {
		uint64_t zero = retype->watermark + cleared * CHUNK;

		if (zero > retype->end)
			untyped->untyped.cleared = (zero - retype->end) / CHUNK & CLEARED_MAX;
	}
}

enum error untyped_retype(struct invocation *invocation) {
	struct slot *untyped = invocation->slot;
	struct retype retype;
	enum error error;

	retype.watermark = untyped_watermark(untyped);
	error = retype_read_kind(invocation, &retype);
	if (!error) error = retype_read_window(invocation, &retype);
	if (!error) error = retype_place(invocation, &retype);
	if (error) return error;
	if (retype.watermark == 0 && untyped->cap.untyped.watermark != 0) untyped->cap.word = 0;
	if (!untyped->cap.device && !retype.kind->keep) {
		error = retype_clear(&untyped->cap, &retype);
		if (error) return error;
	}
	retype_create(untyped, &retype);
	retype_advance(&untyped->cap, &retype);
	return ERROR_NONE;
}
