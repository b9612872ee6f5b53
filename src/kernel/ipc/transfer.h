// SPDX-License-Identifier: BSD-2-Clause
// A message, or a fault, passes from thread to thread with capabilities.
#pragma once

#include <ipc/message.h>

struct endpoint;

// Copies the sender's message, or its fault, into receiver, whose badge register becomes badge.
// With MESSAGE_GRANT in flags capabilities go along; those to endpoint itself (null: a reply) are
// unwrapped.
void message_transfer(struct thread *sender, struct thread *receiver,
	const struct endpoint *endpoint, uint64_t badge, unsigned flags);
