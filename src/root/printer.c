// SPDX-License-Identifier: BSD-2-Clause
// The printer's priority is set by the initial task's first thread, which runs at the highest one
// and is signalled for each printed line.
#include <root/printer.h>

#include <root/journal.h>
#include <root/thread.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	STACK_WORDS = 128,
	BUDGET = 1000, // microseconds
};

// Written by printer_init; the stack is the printer's. For the journal, see there which thread
// writes what.
static seL4_Word stack[STACK_WORDS] __attribute__((aligned(16)));
static struct thread printer;
static seL4_CPtr lines_ready;
static seL4_CPtr line_printed;
static struct journal journal;

static void print_lines(void) {
	const struct journal_line *line = journal_first(&journal);

	for (; line; line = journal_first(&journal)) {
		for (unsigned i = 0; i < line->length; i++)
			seL4_DebugPutChar(line->text[i]);
		journal_remove_first(&journal);
		seL4_Signal(line_printed);
	}
}

static void printer_thread(void *) {
	for (;;) {
		struct sel4_registers wait = {.rdi = lines_ready};

		print_lines();
		sel4_syscall(SYSCALL_WAIT, &wait);
	}
}

seL4_Error printer_init(struct system *system) {
	static const struct thread_plan plan = {
		.entry = printer_thread,
		.stack_end = stack + STACK_WORDS,
		.budget = BUDGET,
		.period = BUDGET,
	};

	if (!system->debug_calls) return seL4_NoError;
	lines_ready = object_make(OBJECT_NOTIFICATION, 0);
	line_printed = system_signal(system, PRINTED_BADGE);
	if (!lines_ready || !line_printed) return seL4_NotEnoughMemory;
	return thread_make(system->bootinfo, &plan, &printer);
}

static void write(char character) { journal_put(&journal, character); }

void printer_start(void) {
	if (!printer.tcb) return;
	print_to(write);
	seL4_TCB_Resume(printer.tcb);
}

void printer_select(seL4_Word priority) { journal.priority = (uint8_t)priority; }

void printer_update(void) {
	int priority;

	journal_count_dropped(&journal);
	priority = journal_priority(&journal);
	if (priority < 0) return;
	seL4_TCB_SetPriority(printer.tcb, seL4_CapInitThreadTCB, (seL4_Word)priority);
	seL4_Signal(lines_ready);
}
