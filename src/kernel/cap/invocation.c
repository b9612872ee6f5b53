// SPDX-License-Identifier: BSD-2-Clause
// The slots that invocations name by (root, index, depth), and the errors of lookups.
#include <cap/invocation.h>

enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup *lookup) {
	invocation->results[0] = side;
	memcpy(invocation->results + 1, lookup->words, sizeof(lookup->words));
	invocation->result_length = 1 + lookup_length(lookup);
	return ERROR_FAILED_LOOKUP;
}

enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left) {
	const struct lookup lookup = {{LOOKUP_MISSING_CAPABILITY, bits_left}};

	return error_lookup(invocation, side, &lookup);
}

// The slot of root itself that the low depth bits of address name exactly, or null: then
// invocation_walk() has the details.
static struct slot *cspace_direct(const struct cap *root, uint64_t address, uint64_t depth) {
	unsigned guard_size = root->cnode.guard_size, radix = root->size_bits;
	struct slot *slots = cap_object(root);

	if (root->type != CAP_CNODE || guard_size + radix != depth) return NULL;
	if ((address >> radix ^ root->cnode.guard) & ((1ul << guard_size) - 1)) return NULL;
	return &slots[address & ((1ul << radix) - 1)];
}

// invocation_slot through more than one cnode, or into an error.
[[gnu::noinline]] static enum error invocation_walk(struct invocation *invocation,
	enum lookup_side side, const struct cap *root, unsigned word, struct slot **slot) {
	uint64_t address = invocation_word(invocation, word);
	uint64_t depth = invocation_word(invocation, word + 1);
	unsigned left = (unsigned)depth;
	struct lookup lookup;

	if (root->type == CAP_CNODE && (depth < 1 || depth > 64))
		return error_range(invocation, 1, 64);
	*slot = cspace_walk(root, address, &left);
	if (*slot && left == 0) return ERROR_NONE;
	lookup = *slot ? (struct lookup){{LOOKUP_DEPTH_MISMATCH, left}}
		       : cspace_failure(root, address, (unsigned)depth);
	return error_lookup(invocation, side, &lookup);
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
