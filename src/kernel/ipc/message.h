// SPDX-License-Identifier: BSD-2-Clause
// The words of a message, in registers and IPC buffers (MSG-6 to MSG-9).
#pragma once

#include <sched/thread.h>

// Writes the words of a message that fit into receiver's registers and buffer; returns how many.
[[gnu::noinline]] unsigned message_write(
	struct thread *receiver, const uint64_t *words, unsigned length);

// Copies the words of a message that travel in registers.
static inline void message_copy_registers(
	const struct context *from, struct context *to, unsigned length) {
	if (length == 0) return;
	to->r10 = from->r10;
	if (length == 1) return;
	to->r8 = from->r8;
	if (length == 2) return;
	to->r9 = from->r9;
	if (length == 3) return;
	to->r15 = from->r15;
}

// Copies the words of a message, those from the fifth on if both threads have a buffer. Returns how
// many arrived.
unsigned message_copy(const struct thread *sender, struct thread *receiver, unsigned length);
