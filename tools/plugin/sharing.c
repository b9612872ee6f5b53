// SPDX-License-Identifier: BSD-2-Clause
// What virtual CPUs have to do with each other in the kernel: lines that more than one touches, and
// instructions that only wait for another one.
//
// A core that waits executes rounds of a loop with a PAUSE in it, as many as the other core needs:
// the emulator decides that, not the kernel. So what lies between two executions of one PAUSE
// counts as waiting, if it is short enough for a loop.
#include <stdlib.h>
#include "trace.h"

enum { LOOP_MOST = 64 }; // instructions

struct access {
	uint64_t line;
	uint8_t cpu;
	_Bool writes;
	_Bool is_locked;
};

static int access_compare(const void *left, const void *right) {
	uint64_t one = ((const struct access *)left)->line;
	uint64_t other = ((const struct access *)right)->line;

	return (one > other) - (one < other);
}

// All of one line.
static void line_sum(const struct access *accesses, uint32_t count, struct trace_sum *sum) {
	uint64_t writers = 0, all = 0, locked = 0;

	for (uint32_t index = 0; index < count; index++) {
		uint64_t cpu = 1ul << accesses[index].cpu;

		all |= cpu;
		if (!accesses[index].writes) continue;
		writers |= cpu;
		locked += accesses[index].is_locked;
	}
	if (writers & (writers - 1))
		sum->written_by_two++;
	else if (writers && all != writers)
		sum->written_and_read++;
	if (all & (all - 1)) sum->locked_shared += locked;
}

static void lines_sum(struct access *accesses, uint32_t count, struct trace_sum *sum) {
	uint32_t first = 0;

	if (count) qsort(accesses, count, sizeof(*accesses), access_compare);
	for (uint32_t index = 1; index <= count; index++) {
		if (index < count && accesses[index].line == accesses[first].line) continue;
		line_sum(&accesses[first], index - first, sum);
		first = index;
	}
}

static void access_add(
	struct access *accesses, uint32_t *count, const struct event *event, _Bool is_locked) {
	uint64_t first = event->address >> LINE_BITS;
	uint64_t last = (event->address + event->size - 1) >> LINE_BITS;

	for (uint64_t line = first; line <= last; line++)
		accesses[(*count)++] = (struct access){
			line, event->cpu, event->kind == EVENT_WRITE, is_locked && line == first};
}

// The last PAUSE of a virtual CPU, and how many instructions it has executed since.
struct pause {
	uint64_t address;
	uint64_t since;
};

static void instruction_sum(const struct event *event, struct pause *pause, struct cpu_sum *sum) {
	sum->instructions++;
	pause->since++;
	if (event->kind != EVENT_PAUSE) return;
	if (pause->address == event->address && pause->since <= LOOP_MOST)
		sum->waited += pause->since;
	*pause = (struct pause){event->address, 0};
}

void sharing_sum(const struct trace *trace, struct trace_sum *sum) {
	struct access *accesses = calloc(2 * (size_t)trace->count + 1, sizeof(*accesses));
	const struct event *last[CPUS] = {0};
	struct pause pauses[CPUS] = {0};
	uint32_t count = 0;

	if (!accesses) abort();
	for (uint32_t index = 0; index < trace->count; index++) {
		const struct event *event = &trace->events[index];
		uint8_t cpu = event->cpu;

		if (event_is_instruction(event)) last[cpu] = event;
		if (!last[cpu] || !address_is_kernel(last[cpu]->address)) continue;
		if (event_is_instruction(event))
			instruction_sum(event, &pauses[cpu], &sum->cpus[cpu]);
		else
			access_add(accesses, &count, event, last[cpu]->kind == EVENT_LOCKED);
	}
	lines_sum(accesses, count, sum);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		sum->waited += sum->cpus[cpu].waited;
	free(accesses);
}
