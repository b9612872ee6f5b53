// SPDX-License-Identifier: BSD-2-Clause
// Traces grow to a limit; lines are counted by sorting their numbers.
#include "trace.h"
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1 << 12, ROOM_LIMIT = 1 << 18 };

_Bool address_is_kernel(uint64_t address) { return address >> 63; }

void trace_clear(struct trace *trace) { trace->count = trace->lost = 0; }

static _Bool trace_grow(struct trace *trace, uint32_t room) {
	struct event *events;

	if (room <= trace->room) return 1;
	if (room > ROOM_LIMIT) return 0;
	events = realloc(trace->events, room * sizeof(*events));
	if (!events) return 0;
	trace->events = events;
	trace->room = room;
	return 1;
}

struct event *trace_add(struct trace *trace, struct event event) {
	if (trace->count == trace->room &&
		!trace_grow(trace, trace->room ? trace->room * 2 : ROOM_FIRST)) {
		trace->lost++;
		return NULL;
	}
	trace->events[trace->count] = event;
	return &trace->events[trace->count++];
}

void trace_copy(struct trace *to, const struct trace *from) {
	trace_clear(to);
	if (!trace_grow(to, from->room)) {
		to->lost = from->count + from->lost;
		return;
	}
	if (from->count) memcpy(to->events, from->events, from->count * sizeof(*from->events));
	to->count = from->count;
	to->lost = from->lost;
}

_Bool event_is_instruction(const struct event *event) {
	return event->kind != EVENT_READ && event->kind != EVENT_WRITE;
}

uint64_t trace_instructions(const struct trace *trace) {
	uint64_t count = trace->lost;

	for (uint32_t index = 0; index < trace->count; index++)
		count += event_is_instruction(&trace->events[index]);
	return count;
}

static int line_compare(const void *left, const void *right) {
	uint64_t one = *(const uint64_t *)left;
	uint64_t other = *(const uint64_t *)right;

	return (one > other) - (one < other);
}

static uint64_t lines_distinct(uint64_t *lines, uint32_t count) {
	uint64_t distinct = 0;

	if (count) qsort(lines, count, sizeof(*lines), line_compare);
	for (uint32_t index = 0; index < count; index++)
		distinct += index == 0 || lines[index] != lines[index - 1];
	return distinct;
}

// Lines of what kernel code executed, or of what it accessed.
static uint64_t lines_count(const struct trace *trace, _Bool (*wanted)(const struct event *)) {
	uint64_t *lines = calloc(2 * (size_t)trace->count + 1, sizeof(*lines));
	uint32_t count = 0;
	uint64_t distinct;
	_Bool kernel[CPUS] = {0};

	if (!lines) abort();
	for (uint32_t index = 0; index < trace->count; index++) {
		const struct event *event = &trace->events[index];

		if (event_is_instruction(event))
			kernel[event->cpu] = address_is_kernel(event->address);
		if (!kernel[event->cpu] || !wanted(event)) continue;
		lines[count++] = event->address >> LINE_BITS;
		lines[count++] = (event->address + event->size - 1) >> LINE_BITS;
	}
	distinct = lines_distinct(lines, count);
	free(lines);
	return distinct;
}

static _Bool event_is_access(const struct event *event) { return !event_is_instruction(event); }

struct trace_sum trace_summed(const struct trace *trace) {
	struct trace_sum sum = {
		.instructions = trace_instructions(trace),
		.code_lines = lines_count(trace, event_is_instruction),
		.data_lines = lines_count(trace, event_is_access),
	};

	for (uint32_t index = 0; index < trace->count; index++) {
		const struct event *event = &trace->events[index];

		if (!event_is_instruction(event) || !address_is_kernel(event->address)) continue;
		sum.kernel_instructions++;
		sum.branches += event->kind == EVENT_BRANCH;
		sum.taken += event->taken;
		sum.locked += event->kind == EVENT_LOCKED;
	}
	sharing_sum(trace, &sum);
	return sum;
}

void trace_write(const struct trace *trace, FILE *file) {
	for (uint32_t index = 0; index < trace->count; index++) {
		const struct event *event = &trace->events[index];

		fprintf(file, "%c %lx %u%s", event->kind, event->address, event->size,
			event->taken ? " taken" : "");
		if (event->cpu) fprintf(file, " cpu %u", event->cpu);
		fputc('\n', file);
	}
}
