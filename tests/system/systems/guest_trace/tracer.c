// SPDX-License-Identifier: BSD-2-Clause
// Prints the trace of a guest's device accesses once the guest has stopped, equal ones in a row as
// one line.
#include <microkit.h>

#include <base/format.h>
#include <nacre/protocol/console.h>
#include <nacre/protocol/timer.h>

#include "trace.h"

enum {
	CONSOLE = 0,
	TIMER = 1,
	MONITOR = 2,
	LINE = 128,
	PAUSE_MICROSECONDS = 20000,
};

// Patched by the composer.
seL4_Word console_vaddr = 1;
seL4_Word trace_vaddr = 1;
seL4_Word trace_size = 1;

// Written by the functions of this file only; a component is one thread.
static struct console_end console;
static uint64_t printed;
static uint64_t end;
static bool stopped;

static void put_line(const char *line) {
	for (; *line; line++)
		(void)ring_put(&console.out, line);
}

static uint64_t repetitions(const struct trace_record *record) {
	uint64_t count = 1;

	while (printed + count < end &&
		__builtin_memcmp(&record[count], record, sizeof(*record)) == 0)
		count++;
	return count;
}

static void print_record(const struct trace_record *record) {
	uint64_t count = repetitions(record);
	char line[LINE];

	format_text(line, sizeof(line), "%c %u %lx %lx %lu %s\n", record->kind, record->width,
		record->address, record->value, count, record->device);
	put_line(line);
	printed += count;
}

// The serial driver does not notify of room, so after a pause more is printed.
static void print_more(void) {
	const struct trace *trace = (const struct trace *)trace_vaddr;
	char line[LINE];

	while (printed < end && ring_room(&console.out) >= LINE)
		print_record(&trace->records[printed]);
	if (printed == end && ring_room(&console.out) >= LINE) {
		format_text(line, sizeof(line), "end of the trace: %lu accesses, %lu lost\n",
			trace->count, trace->count - end);
		put_line(line);
		stopped = false;
	}
	if (ring_must_notify(&console.out)) microkit_notify(CONSOLE);
	if (!stopped) return;
	microkit_mr_set(0, PAUSE_MICROSECONDS);
	(void)microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1));
}

static void start(void) {
	const struct trace *trace = (const struct trace *)trace_vaddr;
	uint64_t room = (trace_size - sizeof(*trace)) / sizeof(struct trace_record);

	if (stopped) return;
	end = trace->count < room ? trace->count : room;
	stopped = true;
	print_more();
}

void init(void) {
	(void)console_open(&console, (struct console *)console_vaddr, microkit_name, CONSOLE_PLAIN);
}

void notified(microkit_channel channel) {
	if (channel == MONITOR) start();
	if (channel == TIMER && stopped) print_more();
}
