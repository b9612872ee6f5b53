// SPDX-License-Identifier: BSD-2-Clause
// Label to handler, and the errors that carry words.
#include <kernel/invocation.h>

#include <base/compiler.h>

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
	if (unlikely(row->type != cap->type)) return false;
	return likely(cap->type != CAP_TABLE) ||
		(row->format == cap->map.format && row->level == cap->map.level);
}

static const struct invocation_row *row_of(uint64_t label) {
	uint64_t extension = label - LABEL_EXTENSION_FIRST;

	if (likely(label <= LABEL_LAST)) return &invocation_rows[label];
	return &invocation_rows[extension <= LABEL_EXTENSION_LAST - LABEL_EXTENSION_FIRST
			? INVOCATION_EXTENSIONS + extension
			: 0];
}

enum error invocation_dispatch(struct invocation *invocation) {
	const struct cap *cap = &invocation->slot->cap;
	const struct invocation_row *row = row_of(invocation->label);

	if (unlikely(!row_fits(row, cap)))
		return cap->type == CAP_NULL || cap->type == CAP_ZOMBIE
			? error_capability(invocation, 0)
			: ERROR_ILLEGAL_OPERATION;
	if (unlikely(invocation->length < row->words || invocation->cap_count < row->caps))
		return ERROR_TRUNCATED_MESSAGE;
	return row->handler(invocation);
}
