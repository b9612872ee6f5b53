// SPDX-License-Identifier: BSD-2-Clause
// Building.
#include "rig.h"

#include "guests.h"

#include <base/compiler.h>
#include <cap/derive.h>
#include <cap/object.h>
#include <cpu/layout.h>
#include <ipc/irq.h>
#include <kernel.h>
#include <memory/space.h>
#include <sched/switch.h>
#include <syscall/dispatch.h>
#include <thread/life.h>
#include <ipc/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_START = 1 << 20, // physical
	CONTEXT_BITS = 8,
	UNTYPED_BITS = 10,
	BUDGET_US = 10000,
};

struct rig rig;

static struct cpu more_cpus[RIG_CORES_MAX - 1];

static void *memory_take(unsigned size_bits) {
	uint64_t size = 1ul << size_bits;
	void *memory;

	rig.used = (rig.used + size - 1) & -size;
	memory = physical_pointer(physical(MEMORY_START + rig.used));
	rig.used += size;
	return memory;
}

static struct cap object_make(enum object_type type, unsigned size_bits) {
	unsigned bits = object_kinds[type].size_bits ? object_kinds[type].size_bits : size_bits;
	unsigned all = bits + (type == OBJECT_CNODE ? (unsigned)SLOT_BITS : 0);

	return object_create(type, memory_take(all), bits, false);
}

static void *slot_fill(unsigned slot, struct cap cap) {
	derive_insert_original(&rig.slots[slot], cap, NULL);
	return cap_object(&cap);
}

unsigned rig_object(enum object_type type, unsigned size_bits) {
	slot_fill(rig.next_slot, object_make(type, size_bits));
	return rig.next_slot++;
}

unsigned rig_copy(unsigned slot, unsigned rights, uint64_t badge) {
	struct slot *source = &rig.slots[slot];
	struct cap cap = source->cap;

	cap.rights = rights & RIGHTS_ALL;
	if (badge) cap.badge = badge;
	derive_insert_copy(&rig.slots[rig.next_slot], cap, source);
	return rig.next_slot++;
}

static void cnode_build(void) {
	struct cap cnode = object_make(OBJECT_CNODE, RIG_RADIX);

	rig.slots = cap_object(&cnode);
	cnode.cnode.guard_size = 64 - RIG_RADIX;
	slot_fill(SLOT_CNODE, cnode);
}

static void root_fill(unsigned slot, enum object_type type) {
	struct cap root = object_make(type, 0);

	if (!asid_pool_give(&rig.asid_pool, &root)) abort();
	slot_fill(slot, root);
}

static void space_build(void) {
	rig.asid_pool = asid_pool_install(memory_take(ASID_POOL_BITS));
	root_fill(SLOT_SPACE, OBJECT_PML4);
}

unsigned rig_guest_space(void) {
	root_fill(rig.next_slot, OBJECT_EPT_PML4);
	return rig.next_slot++;
}

void rig_interrupt(unsigned notification) {
	struct irq *irq = &this_cpu()->kernel->irqs.rows[0];

	irq->state = IRQ_MESSAGE;
	slot_fill(rig.next_slot, cap_make(CAP_IRQ_HANDLER, irq));
	rig_invoke(rig.next_slot++, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		&(struct invocation_words){.caps = {notification}, .cap_count = 1});
}

void rig_build(unsigned cores) {
	struct cap untyped;

	rig = (struct rig){.next_slot = SLOT_OTHERS};
	host_start();
	for (unsigned i = 0; i < cores - 1; i++)
		host_start_core(&more_cpus[i], this_cpu()->kernel);
	for (unsigned i = 0; i < cores; i++) {
		host.cores[i].way = EXIT_TO_IDLE;
		host.cores[i].cpu->engine = &guest_idle;
	}
	cnode_build();
	untyped = object_make(OBJECT_UNTYPED, UNTYPED_BITS);
	slot_fill(SLOT_UNTYPED, untyped);
	space_build();
	slot_fill(SLOT_DOMAIN, cap_make(CAP_DOMAIN, NULL));
	for (unsigned i = 0; i < cores; i++) {
		struct cap control = cap_make(CAP_SCHED_CONTROL, NULL);

		control.word = i;
		slot_fill(SLOT_CONTROL + i, control);
	}
}

static void thread_fill(unsigned number, struct thread *thread) {
	unsigned frame = rig_object(OBJECT_PAGE, 0);

	thread->priority = RIG_PRIORITY;
	thread->max_priority = UINT8_MAX;
	thread->context.rip = thread->trap.fault_ip = RIG_TEXT;
	thread->context.fs_base = 0x1000 * (number + 1);
	snprintf(thread->name, sizeof(thread->name), "%u", number);
	thread_fill_slot(
		&thread->slots[THREAD_CSPACE], rig.slots[SLOT_CNODE].cap, &rig.slots[SLOT_CNODE]);
	thread_fill_slot(
		&thread->slots[THREAD_SPACE], rig.slots[SLOT_SPACE].cap, &rig.slots[SLOT_SPACE]);
	thread->buffer_address = 0x10000;
	thread_fill_slot(&thread->slots[THREAD_BUFFER], rig.slots[frame].cap, &rig.slots[frame]);
}

unsigned rig_passive_thread(unsigned core, const struct step *program) {
	unsigned number = rig.thread_count++;
	struct rig_thread *self = &rig.threads[number];

	self->thread = slot_fill(SLOT_THREAD + number, object_make(OBJECT_TCB, 0));
	self->thread->cpu = host.cores[core].cpu;
	slot_fill(SLOT_REPLY + number, object_make(OBJECT_REPLY, 0));
	memcpy(self->program, program, sizeof(self->program));
	thread_fill(number, self->thread);
	if (program->kind != STEP_START) thread_resume(self->thread);
	return number;
}

void rig_budget(unsigned number, uint64_t budget, uint64_t period) {
	const struct thread *thread = rig.threads[number].thread;

	rig_invoke(SLOT_CONTROL + thread->cpu->number, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS,
		&(struct invocation_words){.words = {budget, period},
			.length = 5,
			.caps = {SLOT_CONTEXT + number},
			.cap_count = 1});
}

void rig_handler(unsigned number, unsigned slot) {
	struct thread *thread = rig.threads[number].thread;

	thread_fill_slot(
		&thread->slots[THREAD_FAULT_HANDLER], rig.slots[slot].cap, &rig.slots[slot]);
}

unsigned rig_thread(unsigned core, const struct step *program) {
	unsigned number = rig_passive_thread(core, program);

	slot_fill(SLOT_CONTEXT + number, object_make(OBJECT_SCHED_CONTEXT, CONTEXT_BITS));
	rig_budget(number, BUDGET_US, BUDGET_US);
	rig_invoke(SLOT_CONTEXT + number, LABEL_SCHED_CONTEXT_BIND,
		&(struct invocation_words){.caps = {SLOT_THREAD + number}, .cap_count = 1});
	return number;
}

void rig_invoke(unsigned slot, unsigned label, const struct invocation_words *message) {
	static struct ipc_buffer buffer;
	static struct thread builder = {.max_priority = UINT8_MAX};
	struct invocation invocation = {
		.caller = &builder,
		.slot = &rig.slots[slot],
		.buffer = &buffer,
		.registers = message->words,
		.label = label,
		.length = message->length,
		.cap_count = message->cap_count,
	};
	enum error error;

	for (unsigned i = MESSAGE_REGISTERS; i < array_count(message->words); i++)
		buffer.message[i] = message->words[i];
	for (unsigned i = 0; i < message->cap_count; i++)
		invocation.caps[i] = &rig.slots[message->caps[i]];
	this_cpu()->lock.is_alone = true; // nothing runs yet
	error = invocation_dispatch(&invocation);
	this_cpu()->lock.is_alone = false;
	if (!error) return;
	printf("building the system: error %d of label %u\n", error, label);
	exit(1);
}

void rig_start(void) {
	for (unsigned i = 0; i < rig.thread_count && rig.is_started; i++)
		if (rig.threads[i].program->kind == STEP_START)
			thread_resume(rig.threads[i].thread);
	for (unsigned i = 0; i < host.core_count; i++) {
		(void)host_use_core(host.cores[i].cpu);
		host.cores[i].way = schedule();
	}
	(void)host_use_core(host.cores[0].cpu);
}

// Snapshots

// What the start of a run is copied from and to.
struct region {
	void *memory;
	uint64_t size;
	void *copy;
};

static struct region regions[5 + 2 * RIG_CORES_MAX];
static unsigned region_count;

static void region_add(void *start, const void *end) {
	uint64_t size = (uint64_t)end - (uint64_t)start;
	struct region *region = &regions[region_count++];

	*region = (struct region){start, size, malloc(size)};
	if (!region->copy) abort();
	memcpy(region->copy, start, size);
}

// Without what only a real machine's CPU uses, which is most of a core's structure.
void rig_save(void) {
	char *memory = physical_pointer(physical(MEMORY_START));
	struct kernel *kernel = host.cores[0].cpu->kernel;

	region_add(&rig, &rig + 1);
	region_add(&host, &host + 1);
	region_add(kernel, kernel->platform.port_taken);
	region_add(&kernel->irqs, kernel + 1);
	region_add(memory, memory + rig.used);
	for (unsigned i = 0; i < host.core_count; i++) {
		struct cpu *cpu = host.cores[i].cpu;

		region_add(cpu, cpu->gdt);
		region_add(&cpu->benchmark, cpu->host_msrs);
	}
}

void rig_restore(void) {
	for (unsigned i = 0; i < region_count; i++)
		memcpy(regions[i].memory, regions[i].copy, regions[i].size);
}
