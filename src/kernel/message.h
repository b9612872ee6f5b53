// SPDX-License-Identifier: BSD-2-Clause
// Copying messages between threads (messageinfo.md 4 and 5).
#pragma once

#include <kernel/endpoint.h>

// Registers of the message convention in a frame (syscalls.md 2).
static inline uint64_t *context_badge(struct context *context) { return &context->rdi; }

static inline uint64_t *context_tag(struct context *context) { return &context->rsi; }

// Copies the sender's message, or its fault, into receiver, whose badge register becomes badge.
// With MESSAGE_GRANT in flags capabilities go along; those to endpoint itself (null: a reply) are
// unwrapped.
void message_transfer(struct thread *sender, struct thread *receiver,
	const struct endpoint *endpoint, uint64_t badge, unsigned flags);

// Writes the words of a message that fit into receiver's registers and buffer; returns how many.
unsigned message_write(struct thread *receiver, const uint64_t *words, unsigned length);
