// SPDX-License-Identifier: BSD-2-Clause
// Label to handler, and the errors that carry words.
#include <kernel/invocation.h>

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
