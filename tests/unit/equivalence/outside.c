// SPDX-License-Identifier: BSD-2-Clause
// Events other than system calls. Changes come from a manager that is no thread of the system, so
// that it can change anything whichever thread runs.
#include "run.h"

#include "signature.h"
#include <base/compiler.h>
#include <cpu/apic.h>
#include <cpu/percpu.h>
#include <cpu/segments.h>
#include <entry/trap.h>
#include <ipc/fault.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>
#include <object/vcpu.h>

static struct thread manager = {.max_priority = UINT8_MAX};

// Of what entry/trap.c calls: no guests here.
uint64_t vcpu_exit(struct cpu *) { return GUEST_EXIT_DONE; }

bool vcpu_run_fast(struct cpu *, struct thread *) { return false; }

bool apic_is_pending(void) { return false; }

// Interrupts of devices and timer come by vectors that no test binds.
bool apic_is_in_service(unsigned) { return false; }

uint32_t apic_take_errors(void) { return 0; }

// The current thread's frame as exceptions and interrupts leave it.
static void frame_complete(struct run *run) {
	struct thread *thread = this_cpu()->current;

	if (thread->state == THREAD_IDLE) return;
	thread->context.rflags |= CONTEXT_WHOLE;
	thread->trap.rcx = chance_word(&run->chance);
	thread->trap.r11 = chance_word(&run->chance);
	thread->trap.fault_ip = thread->context.rip;
}

static void interrupt(struct run *run, unsigned vector) {
	frame_complete(run);
	(void)trap_interrupt(vector, 0);
}

static void exception(struct run *run, unsigned vector) {
	if (this_cpu()->current->state == THREAD_IDLE) return;
	frame_complete(run);
	host_core()->cr2 = chance_word(&run->chance);
	compare_exception(run, vector, chance_below(&run->chance, 32));
}

// As if an interrupt's handler made the invocation.
static void manage(struct run *run, const struct invocation_choice *choice) {
	struct ipc_buffer buffer = {};
	struct invocation invocation = {
		.caller = &manager,
		.slot = &run->world.slots[choice->slot],
		.buffer = &buffer,
		.registers = choice->words,
		.label = choice->label,
		.length = choice->length,
		.cap_count = choice->cap_count,
	};

	frame_complete(run);
	for (unsigned i = MESSAGE_REGISTERS; i < INVOCATION_WORDS; i++)
		buffer.message[i] = choice->words[i];
	for (unsigned i = 0; i < choice->cap_count; i++)
		invocation.caps[i] = &run->world.slots[choice->caps[i]];
	schedule_update_time();
	if (budget_is_left()) (void)invocation_dispatch(&invocation);
	(void)schedule();
}

static void manage_one(struct run *run, uint64_t label, unsigned slot, unsigned cap) {
	const struct invocation_choice choice = {
		.label = label, .slot = slot, .cap_count = 1, .caps = {cap}};

	manage(run, &choice);
}

static unsigned context_slot(const struct run *run, const struct sched_context *context) {
	unsigned i = 0;

	while (i < CONTEXTS && run->world.contexts[i] != context)
		i++;
	return SLOT_CONTEXT + i % CONTEXTS;
}

// A server that waits with a context of its own, or any thread.
static unsigned thread_to_help(struct run *run) {
	unsigned number = chance_below(&run->chance, THREADS);

	for (unsigned i = 0; i < THREADS; i++) {
		const struct thread *thread = run->world.threads[(number + i) % THREADS];

		if (thread->state == THREAD_BLOCKED_RECEIVE && thread->sched_context)
			return (number + i) % THREADS;
	}
	return number;
}

// Helps one thread to take part: a context if it has none, none for a server that waits, a new
// start for all others.
static void help_one(struct run *run) {
	unsigned number = thread_to_help(run);
	const struct thread *thread = run->world.threads[number];
	unsigned context = chance_below(&run->chance, run->contexts);
	bool is_server = thread->state == THREAD_BLOCKED_RECEIVE;
	bool is_waiting = is_server || thread->state == THREAD_BLOCKED_NOTIFICATION;

	if (is_server && thread->sched_context)
		manage_one(run, LABEL_SCHED_CONTEXT_UNBIND_OBJECT,
			context_slot(run, thread->sched_context), SLOT_THREAD + number);
	else if (!thread->sched_context && chance_percent(&run->chance, is_server ? 20 : 70))
		manage_one(run, LABEL_SCHED_CONTEXT_BIND, SLOT_CONTEXT + context,
			SLOT_THREAD + number);
	else if (!is_waiting || chance_percent(&run->chance, 10))
		manage_one(run, LABEL_TCB_RESUME, SLOT_THREAD + number, SLOT_NONE);
}

static void invoke_any(struct run *run) {
	struct invocation_choice choice;

	invocation_choose(&run->world, &run->chance, &choice);
	// The manager could not wait.
	if (choice.label != LABEL_SCHED_CONTEXT_YIELD_TO) manage(run, &choice);
}

// Mostly if a fault handler waits.
static void fault(struct run *run) {
	const struct cap *handler = &this_cpu()->current->slots[THREAD_FAULT_HANDLER].cap;
	const struct endpoint *endpoint = cap_object(handler);
	bool is_expected = handler->type == CAP_ENDPOINT && endpoint->head &&
		endpoint->head->state == THREAD_BLOCKED_RECEIVE;

	if (is_expected || chance_percent(&run->chance, 10))
		exception(run,
			chance_percent(&run->chance, 50) ? VECTOR_PAGE_FAULT : VECTOR_PROTECTION);
}

static void use_fpu(struct run *run) {
	if (!this_cpu()->fpu_allowed)
		exception(run, VECTOR_NO_FPU);
	else
		host_core()->fpu = chance_word(&run->chance);
}

static void write_bases(struct run *run) {
	host_core()->fs_base = chance_below(&run->chance, 1 << 30);
	host_core()->gs_base = chance_below(&run->chance, 1 << 30);
	host_core()->has_selectors = chance_percent(&run->chance, 50);
}

static void call_by_interrupt(struct run *run) {
	if (this_cpu()->current->state != THREAD_IDLE) interrupt(run, VECTOR_CALL_FIRST + 2);
}

static void tick(struct run *run) { interrupt(run, VECTOR_TIMER); }

static void pass_time(struct run *run) {
	host.now += chance_below(&run->chance, 6000 * HOST_TICKS_PER_US);
}

static const struct step_row {
	void (*step)(struct run *run);
	uint8_t weight;
} rows[] = {
	{help_one, 70},
	{invoke_any, 10},
	{fault, 150},
	{use_fpu, 8},
	{write_bases, 6},
	{call_by_interrupt, 1},
	{tick, 4},
	{pass_time, 2},
};

void outside_step(struct run *run) {
	uint8_t weights[array_count(rows)];

	for (unsigned i = 0; i < array_count(rows); i++)
		weights[i] = rows[i].weight;
	rows[chance_weighted(&run->chance, weights, array_count(rows))].step(run);
}

void outside_pass(struct run *run) {
	host.now += chance_below(&run->chance, 2 * HOST_TICKS_PER_US);
	// Now and then the interrupt is late.
	if (host.now >= host_core()->deadline && chance_percent(&run->chance, 90)) tick(run);
}

void outside_revive(struct run *run) {
	if (host_core()->deadline == UINT64_MAX || chance_percent(&run->chance, 50))
		return outside_step(run);
	if (host.now < host_core()->deadline) host.now = host_core()->deadline;
	tick(run);
}
