// SPDX-License-Identifier: BSD-2-Clause
// What happened between two points of the guest's run, and what it sums up to.
#pragma once

#include <stdint.h>
#include <stdio.h>

enum event_kind {
	EVENT_INSTRUCTION = 'i',
	EVENT_BRANCH = 'b', // an instruction that is a conditional branch
	EVENT_PAUSE = 'p', // an instruction that is PAUSE
	EVENT_LOCKED = 'l', // one that is locked
	EVENT_READ = 'r',
	EVENT_WRITE = 'w',
};

struct event {
	uint64_t address;
	uint8_t kind; // enum event_kind
	uint8_t size; // bytes of the instruction, or of the access
	uint8_t taken; // of a branch
	uint8_t cpu;
};

enum { CPUS = 64, LINE_BITS = 6 };

struct trace {
	struct event *events;
	uint32_t count;
	uint32_t room;
	uint32_t lost; // events after the room's limit
};

// What one virtual CPU executed in the kernel.
struct cpu_sum {
	uint64_t instructions;
	uint64_t waited;
};

struct trace_sum {
	uint64_t instructions; // of user code too
	uint64_t kernel_instructions;
	uint64_t waited; // among those: for another core, in short loops around a PAUSE
	uint64_t code_lines;
	uint64_t data_lines; // of accesses by kernel code
	uint64_t branches;
	uint64_t taken;
	// Lines of data that the kernel has written on one core, and on another written, or read.
	uint64_t written_by_two;
	uint64_t written_and_read;
	uint64_t locked; // instructions
	uint64_t locked_shared; // those on lines that the kernel touched on another core as well
	struct cpu_sum cpus[CPUS];
};

_Bool event_is_instruction(const struct event *event);
_Bool address_is_kernel(uint64_t address);

void trace_clear(struct trace *trace);
// Returns the place of the event, or NULL if it is lost.
struct event *trace_add(struct trace *trace, struct event event);
void trace_copy(struct trace *to, const struct trace *from);
uint64_t trace_instructions(const struct trace *trace);
struct trace_sum trace_summed(const struct trace *trace);
// What of a sum is about several virtual CPUs: sharing.c.
void sharing_sum(const struct trace *trace, struct trace_sum *sum);
void trace_write(const struct trace *trace, FILE *file);
