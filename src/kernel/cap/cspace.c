// SPDX-License-Identifier: BSD-2-Clause
// Resolution of capability addresses, and the slots that invocations name by (root, index, depth).
#include <cap/cspace.h>

#include <base/bits.h>
#include <syscall/invocation.h>

// Walks from *cnode by the *left bits at the top of address: the slot that they name, possibly with
// bits left over, or null. *cnode is the last one reached, and *left bits remain.
[[gnu::always_inline]] static inline struct slot *walk(
	const struct cap **cnode, uint64_t address, unsigned *left) {
	for (const struct cap *cap = *cnode;; *cnode = cap) {
		unsigned wanted = cap->cnode.guard_size + cap->size_bits;
		struct slot *slot = cap_object(cap);
		uint64_t bits;

		if (cap->type != CAP_CNODE || wanted > *left) return NULL;
		bits = address >> (64 - wanted);
		if (bits >> cap->size_bits != cap->cnode.guard) return NULL;
		slot += bits & (cnode_slot_count(cap) - 1);
		*left -= wanted;
		if (*left == 0 || slot->cap.type != CAP_CNODE) return slot;
		address <<= wanted;
		cap = &slot->cap;
	}
}

struct slot *cspace_find(const struct cap *cnode, uint64_t address) {
	unsigned left = 64;

	return walk(&cnode, address, &left);
}

struct lookup cspace_walk(const struct cap *cnode, uint64_t address, unsigned left) {
	// The distance has six bits: where there is no cnode, left may be any number.
	struct slot *slot = walk(&cnode, address << (-left & 63), &left);
	unsigned guard_size = cnode->cnode.guard_size;
	uint64_t guard = cnode->cnode.guard;

	if (slot) return (struct lookup){.slot = slot, .bits_left = left};
	if (cnode->type != CAP_CNODE) return (struct lookup){.failure = LOOKUP_INVALID_ROOT};
	// guard_size is below 64, so the shift distance is 64 only for an empty guard.
	if (guard_size > left ||
		(guard_size && guard != (address >> (left - guard_size) & bits_mask(guard_size))))
		return (struct lookup){.failure = LOOKUP_GUARD_MISMATCH,
			.bits_left = left,
			.guard = guard,
			.guard_size = guard_size};
	return (struct lookup){.failure = LOOKUP_DEPTH_MISMATCH,
		.bits_left = left,
		.bits_found = guard_size + cnode->size_bits};
}

unsigned lookup_failure_words(const struct lookup *lookup, uint64_t words[LOOKUP_MAX_WORDS]) {
	words[0] = lookup->failure;
	words[1] = lookup->bits_left;
	words[2] = lookup->failure == LOOKUP_DEPTH_MISMATCH ? lookup->bits_found : lookup->guard;
	words[3] = lookup->guard_size;
	// Kinds 1 to 4 are numbered by how many of these words describe them.
	_Static_assert(LOOKUP_INVALID_ROOT == 1 && LOOKUP_GUARD_MISMATCH == 4);
	return lookup->failure;
}

enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup *lookup) {
	invocation->results[0] = side;
	invocation->result_length = 1 + lookup_failure_words(lookup, invocation->results + 1);
	return ERROR_FAILED_LOOKUP;
}

enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left) {
	struct lookup lookup = {.failure = LOOKUP_MISSING_CAPABILITY, .bits_left = bits_left};

	return error_lookup(invocation, side, &lookup);
}

// The slot of root itself that the low depth bits of address name exactly, or null: then
// cspace_walk() has the details.
static struct slot *cspace_direct(const struct cap *root, uint64_t address, uint64_t depth) {
	unsigned guard_size = root->cnode.guard_size;
	unsigned radix = root->size_bits;
	struct slot *slots = cap_object(root);

	if (root->type != CAP_CNODE || guard_size + radix != depth) return NULL;
	if ((address >> radix ^ root->cnode.guard) & ((1ul << guard_size) - 1)) return NULL;
	return &slots[address & ((1ul << radix) - 1)];
}

// invocation_slot through more than one cnode, or into an error.
[[gnu::noinline]] static enum error invocation_walk(struct invocation *invocation,
	enum lookup_side side, const struct cap *root, unsigned word, struct slot **slot) {
	uint64_t depth = invocation_word(invocation, word + 1);
	struct lookup lookup;

	if (root->type == CAP_CNODE && (depth < 1 || depth > 64))
		return error_range(invocation, 1, 64);
	lookup = cspace_walk(root, invocation_word(invocation, word), (unsigned)depth);
	if (lookup.slot && lookup.bits_left > 0)
		lookup = (struct lookup){
			.failure = LOOKUP_DEPTH_MISMATCH, .bits_left = lookup.bits_left};
	*slot = lookup.slot;
	return lookup.slot ? ERROR_NONE : error_lookup(invocation, side, &lookup);
}

enum error invocation_slot(struct invocation *invocation, enum lookup_side side,
	const struct cap *root, unsigned word, struct slot **slot) {
	*slot = cspace_direct(
		root, invocation_word(invocation, word), invocation_word(invocation, word + 1));
	if (likely(*slot)) return ERROR_NONE;
	return invocation_walk(invocation, side, root, word, slot);
}

enum error invocation_empty_slot(
	struct invocation *invocation, const struct cap *root, unsigned word, struct slot **slot) {
	enum error error = invocation_slot(invocation, LOOKUP_TARGET, root, word, slot);

	if (error) return error;
	return slot_is_empty(*slot) ? ERROR_NONE : ERROR_DELETE_FIRST;
}

bool cap_set_guard(struct cap *cap, uint64_t data) {
	unsigned size = data & 63;

	if (cap->size_bits + size > 64) return false;
	cap->word = (data >> 6 & bits_mask(size)) << 6 | size;
	return true;
}
