// SPDX-License-Identifier: BSD-2-Clause
// How long from an interrupt to its user-level handler, and from the end of a timed wait to the
// waiting thread? A thread of lower priority keeps reading the time stamp counter: its last value
// is the start.
#include "bench.h"

enum {
	VECTOR = 20,
	TIMER_PIN = 2, // of the interval timer on the first I/O APIC
	TIMER_DATA = 0x40,
	TIMER_COMMAND = 0x43,
	TIMER_RATE = 0x34, // channel 0, both bytes, mode 2
	TIMER_DIVISOR = 1193, // 1 kHz
	WAIT_BUDGET = 500, // microseconds
	WAIT_PERIOD = 1000,
	LIMIT = 5000000, // microseconds: for a timer that never interrupts
};

static volatile uint64_t over; // by the thread that takes the samples

static void spinner_run(struct helper *) {
	uint64_t limit = ticks_begin() + tsc_of(LIMIT);
	uint64_t now;

	do
		begun_at = now = ticks_begin();
	while (!over && now < limit);
}

static void handler_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS_FEW; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[0]};
		uint64_t end;

		sel4_syscall(SYSCALL_WAIT, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
		(void)invoke(helper->argument[1], LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS());
	}
	over = 1;
}

static void timer_start(void) {
	static const uint8_t writes[][2] = {
		{TIMER_COMMAND, TIMER_RATE},
		{TIMER_DATA, TIMER_DIVISOR & 0xff},
		{TIMER_DATA, TIMER_DIVISOR >> 8},
	};
	uint64_t ports = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(TIMER_DATA, TIMER_COMMAND, ports, DEPTH)));
	for (unsigned index = 0; index < array_count(writes); index++)
		CHECK_OK(invoke(ports, LABEL_PORT_RANGE_OUT8, CAPS(),
			WORDS(writes[index][0], writes[index][1])));
}

static void spin_under(struct helper *waiter, void (*run)(struct helper *helper)) {
	over = 0;
	helper_start(waiter, run);
	helper_start(helper_make(PRIORITY_HELPER), spinner_run);
	settle();
	if (!over) row_skip("this machine's timer does not interrupt");
}

static void interrupt_measure(const struct row *) {
	struct helper *handler = helper_make(PRIORITY_HELPER + 1);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t interrupt = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_IOAPIC, CAPS(ROOT_SLOT_CNODE),
		WORDS(interrupt, DEPTH, 0, TIMER_PIN, 0, 0, VECTOR)));
	CHECK_OK(
		invoke(interrupt, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(notification), WORDS()));
	handler->argument[0] = notification;
	handler->argument[1] = interrupt;
	timer_start();
	spin_under(handler, handler_run);
}

// Yield gives up the budget, which is refilled one period after its start.
static void wait_run(struct helper *) {
	for (unsigned round = 0; round < ROUNDS_FEW; round++) {
		struct sel4_registers registers = {0};
		uint64_t end;

		sel4_syscall(SYSCALL_YIELD, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
	over = 1;
}

static void timer_measure(const struct row *) {
	spin_under(helper_make_with(PRIORITY_HELPER + 1,
			   (struct sched_setting){.budget = WAIT_BUDGET, .period = WAIT_PERIOD}),
		wait_run);
}

static const struct row rows[] = {
	{"interrupt-to-handler", interrupt_measure, 0},
	{"timer-to-thread", timer_measure, 0},
};

ROW_FILE(interrupt);
