// SPDX-License-Identifier: BSD-2-Clause
// What programs and the world outside do. Who makes a choice looks at what other cores change
// meanwhile, so this file and those of the choices are compiled without the thread sanitizer.
#include "system.h"

#include "../equivalence/signature.h"
#include "../host/entry.h"

#include <base/compiler.h>
#include <cpu/lock.h>
#include <cpu/segments.h>
#include <ipc/fault.h>
#include <kernel.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>
#include <sched.h>

enum { PERIOD_US = 3000 }; // of a context that moves

typedef void event(struct together *self);

// The buffer that others use stays theirs (system.c).
static bool gives_buffer(uint64_t label) {
	return label == LABEL_TCB_SET_IPC_BUFFER || label == LABEL_TCB_CONFIGURE;
}

static void call(struct together *self) {
	const struct context *context = &this_cpu()->current->context;

	do
		call_choose(&self->run);
	while (gives_buffer(tag_label(context->rsi)));
	self->calls++;
	entry_syscall();
}

static void fault(struct together *self) {
	bool is_page = chance_percent(&self->run.chance, 50);

	self->faults++;
	host_core()->cr2 = chance_word(&self->run.chance);
	entry_exception(is_page ? VECTOR_PAGE_FAULT : VECTOR_PROTECTION,
		chance_below(&self->run.chance, 32));
}

static void use_fpu(struct together *self) {
	if (this_cpu()->fpu_allowed)
		host_core()->fpu = chance_word(&self->run.chance);
	else
		entry_exception(VECTOR_NO_FPU, 0);
}

static void write_bases(struct together *self) {
	host_core()->fs_base = chance_below(&self->run.chance, 1 << 30);
	host_core()->gs_base = chance_below(&self->run.chance, 1 << 30);
}

// A device, or one without a handler; mostly one that a thread waits for: where that was when it
// began to wait need not be where it is.
static unsigned device_choose(struct together *self) {
	unsigned number = chance_below(&self->run.chance, INTERRUPTS + 1);

	if (chance_percent(&self->run.chance, 25)) return number;
	for (unsigned i = number; i < number + INTERRUPTS; i++) {
		const struct slot *slot = &this_kernel()->irqs.rows[i % INTERRUPTS].notification;

		if (slot->cap.type == CAP_NOTIFICATION &&
			((struct notification *)cap_object(&slot->cap))->head)
			return i % INTERRUPTS;
	}
	return number;
}

static void interrupt(struct together *self) {
	self->interrupts++;
	entry_interrupt(VECTOR_USER_FIRST + device_choose(self));
}

static void tick(struct together *) { entry_interrupt(VECTOR_TIMER); }

static void pass_time(struct together *self) {
	__atomic_fetch_add(&host.now, chance_below(&self->run.chance, 2000 * HOST_TICKS_PER_US),
		__ATOMIC_RELAXED);
}

// The slot of a context that no thread has, or SLOT_NONE.
static unsigned free_context(const struct run *run) {
	for (unsigned i = 0; i < run->contexts; i++)
		if (!run->world.contexts[i]->thread) return SLOT_CONTEXT + i;
	return SLOT_NONE;
}

static unsigned slot_of(const struct run *run, const struct sched_context *context) {
	unsigned i = 0;

	while (i < CONTEXTS - 1 && run->world.contexts[i] != context)
		i++;
	return SLOT_CONTEXT + i;
}

// What helps a thread to take part: a context if it has none, none for a server that waits, a new
// start for all others. False: it does.
static bool help_one(const struct run *run, unsigned number, struct invocation_choice *choice) {
	const struct thread *thread = run->world.threads[number];
	const struct sched_context *context = thread->sched_context;

	*choice = (struct invocation_choice){.slot = SLOT_THREAD + number,
		.label = LABEL_TCB_RESUME,
		.caps = {SLOT_THREAD + number}};
	if (thread_is_schedulable(thread)) return false;
	if (context && thread->state != THREAD_BLOCKED_RECEIVE) return true;
	choice->label = context ? LABEL_SCHED_CONTEXT_UNBIND_OBJECT : LABEL_SCHED_CONTEXT_BIND;
	choice->slot = context ? slot_of(run, context) : free_context(run);
	choice->cap_count = 1;
	return choice->slot != SLOT_NONE;
}

static void help_choose(struct run *run, struct invocation_choice *choice) {
	unsigned number = chance_below(&run->chance, THREADS);

	for (unsigned i = 0; i < THREADS; i++)
		if (help_one(run, (number + i) % THREADS, choice)) return;
}

// A context goes to another core with its thread, or begins anew on its own.
static void move_choose(struct run *run, struct invocation_choice *choice) {
	unsigned number = chance_below(&run->chance, run->contexts);

	*choice = (struct invocation_choice){
		.slot = SLOT_SCHED_CONTROL + chance_below(&run->chance, host.core_count),
		.label = LABEL_SCHED_CONTROL_CONFIGURE_FLAGS,
		.length = 5,
		.words = {PERIOD_US, PERIOD_US, 0, number, 0},
		.cap_count = 1,
		.caps = {SLOT_CONTEXT + number}};
}

static void manage(struct together *self, const struct invocation_choice *choice) {
	struct ipc_buffer buffer = {};
	struct invocation invocation = {
		.caller = &self->manager,
		.slot = &self->run.world.slots[choice->slot],
		.buffer = &buffer,
		.registers = choice->words,
		.label = choice->label,
		.length = choice->length,
		.cap_count = choice->cap_count,
	};

	for (unsigned i = MESSAGE_REGISTERS; i < INVOCATION_WORDS; i++)
		buffer.message[i] = choice->words[i];
	for (unsigned i = 0; i < choice->cap_count; i++)
		invocation.caps[i] = &self->run.world.slots[choice->caps[i]];
	(void)invocation_dispatch(&invocation);
}

// As if the handler of an interrupt made an invocation. Where the current thread's turn is over, it
// is queued or sends a fault already: the kernel does nothing more to it in such an entry.
static void manage_any(struct together *self) {
	struct cpu *cpu = this_cpu();
	struct invocation_choice choice;

	self->managed++;
	if (host_core()->way == EXIT_TO_USER) {
		cpu->current->context.rflags |= CONTEXT_WHOLE;
		cpu->current->trap.fault_ip = cpu->current->context.rip;
	}
	(void)kernel_enter(cpu, false);
	schedule_update_time();
	if (chance_percent(&self->run.chance, 85))
		help_choose(&self->run, &choice);
	else if (chance_percent(&self->run.chance, 35))
		move_choose(&self->run, &choice);
	else
		invocation_choose(&self->run.world, &self->run.chance, &choice);
	// It could not wait, and its buffers are not the threads'.
	if (budget_is_left() && choice.label != LABEL_SCHED_CONTEXT_YIELD_TO &&
		!gives_buffer(choice.label))
		manage(self, &choice);
	host_core()->way = schedule();
	kernel_leave(cpu);
}

static const struct row {
	event *event;
	uint8_t running, idle; // how often
} rows[] = {
	{call, 130, 0},
	{fault, 20, 0},
	{use_fpu, 8, 0},
	{write_bases, 6, 0},
	{interrupt, 8, 8},
	{tick, 2, 10},
	{pass_time, 2, 10},
	{manage_any, 8, 30},
};

void system_serve(void) {
	if (host_is_interrupted(host_core())) entry_interrupt(host_take_interrupt());
}

void system_step(struct together *self) {
	struct host_core *core = host_core();
	bool is_idle = core->way == EXIT_TO_IDLE;
	uint8_t weights[array_count(rows)];

	self->steps++;
	if (host_is_interrupted(core)) return system_serve();
	__atomic_fetch_add(&host.now, chance_below(&self->run.chance, 2 * HOST_TICKS_PER_US),
		__ATOMIC_RELAXED);
	if (clock_now() >= core->deadline && chance_percent(&self->run.chance, 90))
		return tick(self);
	if (is_idle) sched_yield();
	for (unsigned i = 0; i < array_count(rows); i++)
		weights[i] = is_idle ? rows[i].idle : rows[i].running;
	rows[chance_weighted(&self->run.chance, weights, array_count(rows))].event(self);
}
