// SPDX-License-Identifier: BSD-2-Clause
// Building and checking.
#include "system.h"

#include <check/check.h>
#include <cpu/layout.h>
#include <kernel.h>
#include <object/vcpu.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTED = 6 };

struct together *together[TOGETHER_CORES];

// No guests run here.
uint64_t vcpu_exit(struct cpu *) { return GUEST_EXIT_DONE; }

bool vcpu_run_fast(struct cpu *, struct thread *) { return false; }

static struct cpu more_cpus[TOGETHER_CORES - 1];

static void invoke(struct together *self, unsigned slot, unsigned label, unsigned length,
	const uint64_t *words, unsigned cap) {
	struct ipc_buffer buffer = {};
	struct invocation invocation = {
		.caller = &self->manager,
		.slot = &self->run.world.slots[slot],
		.buffer = &buffer,
		.registers = words,
		.label = label,
		.length = length,
		.cap_count = 1,
		.caps = {&self->run.world.slots[cap]},
	};

	for (unsigned i = MESSAGE_REGISTERS; i < length; i++)
		buffer.message[i] = words[i];
	(void)invocation_dispatch(&invocation);
}

// Some round robin, some sporadic; spread over the cores.
static void context_start(struct together *self, unsigned number, unsigned cores) {
	struct chance *chance = &self->run.chance;
	uint64_t budget = MINIMUM_BUDGET_US + 1 + chance_below(chance, 5000);
	uint64_t period = budget + (chance_percent(chance, 50) ? 0 : chance_below(chance, 9000));
	const uint64_t words[] = {
		budget, period, chance_below(chance, 2), number, chance_below(chance, 2)};

	invoke(self, SLOT_SCHED_CONTROL + number % cores, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, 5,
		words, SLOT_CONTEXT + number);
}

// A thread has its IPC buffer to itself: programs that share one would race, not the kernel.
static void buffer_give(struct world *world, unsigned number) {
	struct thread *thread = world->threads[number];
	struct ipc_buffer *buffer = (struct ipc_buffer *)(world->memory + world->used) + number;

	if (thread->buffer_to_read) thread->buffer_to_read = buffer;
	if (thread->buffer_to_write) thread->buffer_to_write = buffer;
}

static void interrupts_build(const struct world *world) {
	for (unsigned i = 0; i < INTERRUPTS; i++) {
		struct irq *irq = &this_kernel()->irqs.rows[i];
		struct slot *source = &world->slots[SLOT_NOTIFICATION + i * NOTIFICATION_VARIANTS];

		irq->state = IRQ_MESSAGE;
		derive_insert_copy(&irq->notification, source->cap, source);
	}
}

static void threads_start(struct together *self, unsigned cores) {
	struct world *world = &self->run.world;

	self->run.contexts = CONTEXTS - chance_below(&self->run.chance, 2);
	for (unsigned i = 0; i < CONTEXTS; i++)
		context_start(self, i, cores);
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *thread = world->threads[i];

		thread->priority = (uint8_t)chance_below(&self->run.chance, PRIORITY_RANGE);
		buffer_give(world, i);
		if (i < self->run.contexts) sched_context_bind_thread(world->contexts[i], thread);
		if (i < STARTED) thread_resume(thread);
	}
}

void system_build(unsigned cores) {
	struct world *world = &together[0]->run.world;

	host_restart();
	memset(more_cpus, 0, sizeof(more_cpus));
	for (unsigned i = 0; i < cores - 1; i++)
		host_start_core(&more_cpus[i], this_cpu()->kernel);
	this_cpu()->platform->console.is_quiet = true;
	host.preempt_period = chance_percent(&together[0]->run.chance, 20) ? 2 : 0;
	host.is_fpu_eager = chance_percent(&together[0]->run.chance, 25);
	if (world->memory) memset(world->memory, 0, world->used);
	memset(world, 0, sizeof(*world));
	world_make(world);
	interrupts_build(world);
	threads_start(together[0], cores);
	for (unsigned i = 0; i < cores; i++) {
		together[i]->run.world = *world;
		together[i]->run.contexts = together[0]->run.contexts;
		together[i]->manager = (struct thread){.max_priority = UINT8_MAX};
		(void)host_use_core(host.cores[i].cpu);
		host.cores[i].way = schedule();
	}
	(void)host_use_core(host.cores[0].cpu);
}

// A thread that can run is where its core finds it: only one core has it.
static void thread_check(const struct thread *thread, unsigned cores) {
	unsigned places = thread->is_queued + (thread->is_released > 0);

	for (unsigned i = 0; i < cores; i++)
		places += host.cores[i].cpu->current == thread;
	if (places > 1) printf("a thread is at %u places\n", places);
	if (places > 1 || (thread_is_schedulable(thread) && places != 1)) abort();
}

void system_check(unsigned cores) {
	const struct world *world = &together[0]->run.world;

	for (unsigned i = 0; i < cores; i++) {
		struct cpu *cpu = host.cores[i].cpu;

		(void)host_use_core(cpu);
		check_everything();
		if (cpu->lock.is_inside || cpu->lock.hold || cpu->lock.asked || cpu->need_resched)
			abort();
	}
	(void)host_use_core(host.cores[0].cpu);
	for (unsigned i = 0; i < THREADS; i++)
		thread_check(world->threads[i], cores);
}
