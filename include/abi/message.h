// SPDX-License-Identifier: BSD-2-Clause
// Message tag and IPC buffer (MSG-1 to MSG-6).
#pragma once

#include <abi/compiler.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MESSAGE_REGISTERS = 4, // words that travel in registers
	MESSAGE_MAX_LENGTH = 120,
	MESSAGE_MAX_CAPS = 3,

	TAG_LENGTH_BITS = 7,
	TAG_CAPS_SHIFT = 7,
	TAG_CAPS_BITS = 2,
	TAG_UNWRAPPED_SHIFT = 9,
	TAG_UNWRAPPED_BITS = 3,
	TAG_LABEL_SHIFT = 12,
};

struct ipc_buffer {
	uint64_t tag; // the program's own; the kernel never touches it
	uint64_t message[MESSAGE_MAX_LENGTH]; // words from the fifth on; text of DebugNameThread
	uint64_t user_data; // the program's own
	uint64_t caps_or_badges[MESSAGE_MAX_CAPS]; // sent: addresses; received: badges
	uint64_t receive_cnode; // address of the CNode for a capability that comes
	uint64_t receive_index; // of the slot in it
	uint64_t receive_depth; // of the index, in bits
};

ABI_ASSERT(sizeof(struct ipc_buffer) == 1024);
ABI_ASSERT(offsetof(struct ipc_buffer, message) == 8);
ABI_ASSERT(offsetof(struct ipc_buffer, caps_or_badges) == 976);
ABI_ASSERT(offsetof(struct ipc_buffer, receive_cnode) == 1000);

static inline uint64_t tag_make(
	uint64_t label, uint64_t unwrapped, uint64_t caps, uint64_t length) {
	return label << TAG_LABEL_SHIFT | unwrapped << TAG_UNWRAPPED_SHIFT |
		caps << TAG_CAPS_SHIFT | length;
}

// Message length; values above 120 are treated as 120 (MSG-1).
static inline unsigned tag_length(uint64_t tag) {
	unsigned length = tag & ((1u << TAG_LENGTH_BITS) - 1);

	return length > MESSAGE_MAX_LENGTH ? (unsigned)MESSAGE_MAX_LENGTH : length;
}

static inline unsigned tag_caps(uint64_t tag) {
	return tag >> TAG_CAPS_SHIFT & ((1u << TAG_CAPS_BITS) - 1);
}

static inline uint64_t tag_label(uint64_t tag) { return tag >> TAG_LABEL_SHIFT; }
