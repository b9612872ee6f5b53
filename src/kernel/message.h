// SPDX-License-Identifier: BSD-2-Clause
// Copying messages between threads (messageinfo.md 4 and 5).
#pragma once

#include <kernel/endpoint.h>

// Registers of the message convention in a frame (syscalls.md 2).
static inline uint64_t *context_badge(struct context *context) { return &context->rdi; }

static inline uint64_t *context_tag(struct context *context) { return &context->rsi; }

// How capabilities of a message may travel.
struct transfer {
	const struct endpoint *endpoint; // unwraps capabilities to this very endpoint; null: reply
	uint64_t badge; // the receiver's badge register becomes this
	bool can_grant; // capabilities go along
};

// Copies the sender's message, or its fault, into receiver.
void message_transfer(
	struct thread *sender, struct thread *receiver, const struct transfer *transfer);
