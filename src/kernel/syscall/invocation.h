// SPDX-License-Identifier: BSD-2-Clause
// One invocation of a kernel object: arguments in, results or error out.
#pragma once

#include <abi/invocation.h>
#include <cap/cspace.h>
#include <cap/object.h>

struct thread;

enum { INVOCATION_MAX_RESULTS = 20 };

struct invocation {
	struct thread *caller;
	struct slot *slot; // holds the invoked capability
	const struct ipc_buffer *buffer; // of the caller, or null
	const uint64_t *registers; // message words 0..3
	uint64_t label;
	unsigned length; // message words
	unsigned cap_count; // extra capabilities
	struct slot *caps[MESSAGE_MAX_CAPS];
	unsigned result_length;
	uint64_t results[INVOCATION_MAX_RESULTS]; // result words, or the error's payload words
};

// The object of the invoked capability.
static inline void *invocation_object(const struct invocation *invocation) {
	return cap_object(&invocation->slot->cap);
}

// Message word i, below length; the first four are in registers and can always be read. Another
// word may differ when it is read again.
static inline uint64_t invocation_word(const struct invocation *invocation, unsigned i) {
	return i < MESSAGE_REGISTERS ? invocation->registers[i] : invocation->buffer->message[i];
}

// One word and a code: a result, or an error with a payload (INV-9).
static inline enum error invocation_end(
	struct invocation *invocation, enum error error, uint64_t word) {
	invocation->results[0] = word;
	invocation->result_length = 1;
	return error;
}

static inline enum error invocation_return(struct invocation *invocation, uint64_t value) {
	return invocation_end(invocation, ERROR_NONE, value);
}

static inline enum error error_argument(struct invocation *invocation, unsigned number) {
	return invocation_end(invocation, ERROR_INVALID_ARGUMENT, number);
}

static inline enum error error_capability(struct invocation *invocation, unsigned number) {
	return invocation_end(invocation, ERROR_INVALID_CAPABILITY, number);
}

static inline enum error error_range(
	struct invocation *invocation, uint64_t smallest, uint64_t largest) {
	invocation->results[0] = smallest;
	invocation->results[1] = largest;
	invocation->result_length = 2;
	return ERROR_RANGE;
}

enum lookup_side { LOOKUP_TARGET = 0, LOOKUP_SOURCE = 1 };

enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup *lookup);

// FailedLookup of kind MissingCapability.
enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left);

// The slot below root that message words `word` (index) and the next (depth, 1..64) name, resolved
// exactly (CAP-4). It may be empty. Errors: FailedLookup or RangeError.
enum error invocation_slot(struct invocation *invocation, enum lookup_side side,
	const struct cap *root, unsigned word, struct slot **slot);

// The same for a target, which must be empty: DeleteFirst.
enum error invocation_empty_slot(
	struct invocation *invocation, const struct cap *root, unsigned word, struct slot **slot);

// What every row of abi/invocation.h names as its handler.
typedef enum error invocation_handler(struct invocation *invocation);

#define ABI_HANDLER(number, name, handler, kind, words, caps) invocation_handler handler;
ABI_INVOCATIONS(ABI_HANDLER)
ABI_INVOCATION_EXTENSIONS(ABI_HANDLER)
#undef ABI_HANDLER

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

static inline bool invocation_row_fits(const struct invocation_row *row, const struct cap *cap) {
	unsigned kind = cap->type;

	if (unlikely(kind == CAP_TABLE)) kind = CAP_KIND(kind, cap->map.format, cap->map.level);
	return likely(row->kind == kind);
}

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

	if (unlikely(!invocation_row_fits(row, cap)))
		return cap->type == CAP_NULL || cap->type == CAP_ZOMBIE
			? error_capability(invocation, 0)
			: ERROR_ILLEGAL_OPERATION;
	if (unlikely(invocation->length < row->words || invocation->cap_count < row->caps))
		return ERROR_TRUNCATED_MESSAGE;
	return row->handler(invocation);
}
