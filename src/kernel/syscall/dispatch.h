// SPDX-License-Identifier: BSD-2-Clause
// From the label of an invocation to its handler.
#pragma once

#include <cap/invocation.h>
#include <sched/place.h>

// One row of abi/invocation.h as the decoder uses it.
struct invocation_row {
	invocation_handler *handler;
	uint16_t kind; // type of the capability; of a table CAP_KIND
	uint8_t words; // fewest message words
	uint8_t caps; // fewest extra capabilities
};

// By label, the extensions after the others. They are beside object_ops in
// arch/x86_64/object/kinds.c. An unused label has a row that fits no capability.
enum { INVOCATION_EXTENSIONS = LABEL_LAST + 1 };
extern const struct invocation_row
	invocation_rows[INVOCATION_EXTENSIONS + LABEL_EXTENSION_LAST - LABEL_EXTENSION_FIRST + 1];

static inline const struct invocation_row *invocation_row_of(uint64_t label) {
	uint64_t extension = label - LABEL_EXTENSION_FIRST;

	if (likely(label <= LABEL_LAST)) return &invocation_rows[label];
	return &invocation_rows[extension <= LABEL_EXTENSION_LAST - LABEL_EXTENSION_FIRST
			? INVOCATION_EXTENSIONS + extension
			: 0];
}

// Decodes the label, checks kind and lengths, and calls the handler.
static inline enum error invocation_dispatch(struct invocation *invocation) {
	const struct cap *cap = &invocation->slot->cap;
	const struct invocation_row *row = invocation_row_of(invocation->label);
	unsigned kind = cap->type;

	if (unlikely(kind == CAP_TABLE)) kind = CAP_KIND(kind, cap->map.format, cap->map.level);
	if (unlikely(row->kind != kind))
		return cap->type == CAP_NULL || cap->type == CAP_ZOMBIE
			? error_capability(invocation, 0)
			: ERROR_ILLEGAL_OPERATION;
	if (unlikely(invocation->length < row->words || invocation->cap_count < row->caps))
		return ERROR_TRUNCATED_MESSAGE;
	if (kind == CAP_THREAD) thread_stop(cap_object(cap));
	return row->handler(invocation);
}
