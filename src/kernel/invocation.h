// SPDX-License-Identifier: BSD-2-Clause
// One invocation of a kernel object: arguments in, results or error out.
#pragma once

#include <abi/error.h>
#include <abi/invocation.h>
#include <abi/message.h>
#include <kernel/cap.h>
#include <kernel/cspace.h>

struct thread;

enum {
	INVOCATION_MAX_RESULTS = 20,
};

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

// Message word i; i must be below length.
static inline uint64_t invocation_word(const struct invocation *invocation, unsigned i) {
	return i < MESSAGE_REGISTERS ? invocation->registers[i] : invocation->buffer->message[i];
}

// One result word: the usual case.
static inline enum error invocation_return(struct invocation *invocation, uint64_t value) {
	invocation->results[0] = value;
	invocation->result_length = 1;
	return ERROR_NONE;
}

// The errors that carry words (errors.md 1). Each returns its code for `return error_...(...)`.
enum error error_argument(struct invocation *invocation, unsigned number);
enum error error_capability(struct invocation *invocation, unsigned number);
enum error error_range(struct invocation *invocation, uint64_t smallest, uint64_t largest);
enum error error_memory(struct invocation *invocation, uint64_t bytes_left);

enum lookup_side {
	LOOKUP_TARGET = 0,
	LOOKUP_SOURCE = 1,
};

enum error error_lookup(
	struct invocation *invocation, enum lookup_side side, const struct lookup_failure *failure);

// FailedLookup of kind MissingCapability.
enum error error_missing(struct invocation *invocation, enum lookup_side side, unsigned bits_left);

// The slot (root, index, depth) as CNode operations name it: depth 1..64, resolved exactly
// (semantics.md A4). Errors as invocations.md: FailedLookup or RangeError.
enum error invocation_target_slot(struct invocation *invocation, const struct cap *root,
	uint64_t index, uint64_t depth, struct slot **slot);

// The same, and the slot must be empty: DeleteFirst.
enum error invocation_empty_slot(struct invocation *invocation, const struct cap *root,
	uint64_t index, uint64_t depth, struct slot **slot);

// A slot as CNode operations name it.
struct slot_address {
	const struct cap *root;
	uint64_t index;
	uint64_t depth;
};

// The slot of a source or pivot: as invocation_target_slot, failures are told of the source side.
// The slot may be empty.
enum error invocation_source_slot(
	struct invocation *invocation, const struct slot_address *address, struct slot **slot);

// What every row of abi/invocation.h names as its handler.
typedef enum error invocation_handler(struct invocation *invocation);

#define ABI_HANDLER(number, name, handler, kind, words, caps) invocation_handler handler;
ABI_INVOCATIONS(ABI_HANDLER)
ABI_INVOCATION_EXTENSIONS(ABI_HANDLER)
#undef ABI_HANDLER

// One row of abi/invocation.h as the decoder uses it.
struct invocation_row {
	invocation_handler *handler;
	uint8_t type; // enum cap_type
	uint8_t format; // tables: enum space_format and level; 0 otherwise
	uint8_t level;
	uint8_t words; // fewest message words
	uint8_t caps; // fewest extra capabilities
};

// The row of a label, or null. Stands beside object_ops in arch/x86_64/object/table.c.
const struct invocation_row *invocation_row_of(uint64_t label);

// Decodes the label, checks kind and lengths, and calls the handler.
enum error invocation_dispatch(struct invocation *invocation);
