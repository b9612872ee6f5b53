// SPDX-License-Identifier: BSD-2-Clause
// The slots that invocations name by (root, index, depth), and the errors of lookups.
#include <cap/invocation.h>

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
