// SPDX-License-Identifier: BSD-2-Clause
// One invocation of a kernel object: arguments in, results or error out.
#pragma once

#include <abi/invocation.h>
#include <abi/message.h>
#include <cap/cspace.h>
#include <cap/object.h>

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

[[nodiscard, gnu::cold]] enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup *lookup);

// FailedLookup of kind MissingCapability.
[[nodiscard, gnu::cold]] enum error error_missing(
	struct invocation *invocation, enum lookup_side side, unsigned bits_left);

// The slot below root that message words `word` (index) and the next (depth, 1..64) name, resolved
// exactly (CAP-4). It may be empty. Errors: FailedLookup or RangeError.
[[nodiscard]] enum error invocation_slot(struct invocation *invocation, enum lookup_side side,
	const struct cap *root, unsigned word, struct slot **slot);

// The same for a target, which must be empty: DeleteFirst.
[[nodiscard]] enum error invocation_empty_slot(
	struct invocation *invocation, const struct cap *root, unsigned word, struct slot **slot);

// What every row of abi/invocation.h names as its handler.
typedef enum error invocation_handler(struct invocation *invocation);

#define ABI_HANDLER(number, name, handler, kind, words, caps) invocation_handler handler;
ABI_INVOCATIONS(ABI_HANDLER)
ABI_INVOCATION_EXTENSIONS(ABI_HANDLER)
#undef ABI_HANDLER
