// SPDX-License-Identifier: BSD-2-Clause
// Label to handler, and the errors that carry words.
#include <kernel/invocation.h>

#include <kernel/object.h>
#include <kernel/trace.h>

enum error error_argument(struct invocation *invocation, unsigned number) {
	invocation->results[0] = number;
	invocation->result_length = 1;
	return ERROR_INVALID_ARGUMENT;
}

enum error error_capability(struct invocation *invocation, unsigned number) {
	invocation->results[0] = number;
	invocation->result_length = 1;
	return ERROR_INVALID_CAPABILITY;
}

enum error error_range(struct invocation *invocation, uint64_t smallest, uint64_t largest) {
	invocation->results[0] = smallest;
	invocation->results[1] = largest;
	invocation->result_length = 2;
	return ERROR_RANGE;
}

enum error error_memory(struct invocation *invocation, uint64_t bytes_left) {
	invocation->results[0] = bytes_left;
	invocation->result_length = 1;
	return ERROR_NOT_ENOUGH_MEMORY;
}

enum error error_lookup(struct invocation *invocation, enum lookup_side side,
	const struct lookup_failure *failure) {
	uint64_t *words = invocation->results;

	words[0] = side;
	words[1] = failure->kind;
	words[2] = failure->bits_left;
	invocation->result_length = failure->kind == LOOKUP_INVALID_ROOT ? 2 : 3;
	if (failure->kind == LOOKUP_DEPTH_MISMATCH) {
		words[3] = failure->bits_found;
		invocation->result_length = 4;
	} else if (failure->kind == LOOKUP_GUARD_MISMATCH) {
		words[3] = failure->guard;
		words[4] = failure->guard_size;
		invocation->result_length = 5;
	}
	return ERROR_FAILED_LOOKUP;
}

enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left) {
	return error_lookup(invocation, side,
		&(struct lookup_failure){
			.kind = LOOKUP_MISSING_CAPABILITY, .bits_left = bits_left});
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

	if (cap->type == CAP_NULL || cap->type == CAP_ZOMBIE)
		return error_capability(invocation, 0);
	if (!row || !row_fits(row, cap)) return ERROR_ILLEGAL_OPERATION;
	if (invocation->length < row->words || invocation->cap_count < row->caps)
		return ERROR_TRUNCATED_MESSAGE;
	return row->handler(invocation);
}
