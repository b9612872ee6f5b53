// SPDX-License-Identifier: BSD-2-Clause
// Label to handler, and the errors that carry words.
#include <kernel/invocation.h>

#include <base/compiler.h>

enum error error_range(struct invocation *invocation, uint64_t smallest, uint64_t largest) {
	invocation->results[0] = smallest;
	invocation->results[1] = largest;
	invocation->result_length = 2;
	return ERROR_RANGE;
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

// A row belongs to a capability if type matches, and for tables format and level too.
static bool row_fits(const struct invocation_row *row, const struct cap *cap) {
	if (row->type != cap->type) return false;
	return cap->type != CAP_TABLE ||
		(row->format == cap->map.format && row->level == cap->map.level);
}

enum error invocation_dispatch(struct invocation *invocation) {
	const struct cap *cap = &invocation->slot->cap;
	const struct invocation_row *row = invocation_row_of(invocation->label);

	if (unlikely(!row || !row_fits(row, cap)))
		return cap->type == CAP_NULL || cap->type == CAP_ZOMBIE
			? error_capability(invocation, 0)
			: ERROR_ILLEGAL_OPERATION;
	if (invocation->length < row->words || invocation->cap_count < row->caps)
		return ERROR_TRUNCATED_MESSAGE;
	return row->handler(invocation);
}
