// SPDX-License-Identifier: BSD-2-Clause
// What all fast paths have in common: their shapes, and what they may work on.
#pragma once

#include <entry/fastpath.h>
#include <ipc/message.h>
#include <sched/switch.h>

// fastpath_cores.c makes the same functions for several cores.
#ifndef SEVERAL_CORES
#define SEVERAL_CORES false
#endif

#define TAG_REST 0xffful // of a tag: everything but the label

// Each path exists three times, so that the shortest has no cost for the others' cases: without
// words, with words in registers only, or also in the IPC buffer. No capabilities.
enum message_shape {
	MESSAGE_EMPTY = 0,
	MESSAGE_SHORT = MESSAGE_REGISTERS,
	MESSAGE_LONG = MESSAGE_MAX_LENGTH,
};

// With several cores a fast path works on what is this core's: endpoints and notifications that no
// other core has used since this one, and their waiters that run here.
static inline bool begin(struct cpu *cpu) {
	benchmark_enter();
	return !SEVERAL_CORES || core_try_enter(cpu);
}

static inline bool is_own(const struct cpu *cpu, uint64_t owner) {
	return !SEVERAL_CORES || owner == (uint64_t)cpu;
}

static inline bool tag_fits(uint64_t tag, enum message_shape shape) {
	return (tag & TAG_REST) <= (uint64_t)shape;
}

static inline bool find(const struct thread *thread, uint64_t address, enum message_shape shape,
	struct slot **slot) {
	if (shape != MESSAGE_LONG) return thread_find_fast(thread, address, slot);
	*slot = thread_find(thread, address);
	return likely(*slot);
}

static inline void message_give(const struct thread *from, struct thread *to, uint64_t badge,
	uint64_t tag, enum message_shape shape) {
	unsigned length = tag & TAG_REST;

	to->context.rdi = badge;
	to->context.rsi = tag;
	if (shape == MESSAGE_LONG)
		to->context.rsi = (tag & ~TAG_REST) | message_copy(from, to, length);
	else if (shape == MESSAGE_SHORT)
		message_copy_registers(&from->context, &to->context, length);
}
