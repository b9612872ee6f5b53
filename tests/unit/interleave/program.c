// SPDX-License-Identifier: BSD-2-Clause
// What the cores do outside the kernel.
#include "rig.h"

#include "access.h"
#include "explore.h"
#include "../host/entry.h"

#include <abi/message.h>
#include <cpu/apic.h>
#include <cpu/paging.h>
#include <cpu/segments.h>
#include <stdlib.h>

// The thread that a core runs, or null: it is idle.
static struct rig_thread *thread_on(const struct cpu *cpu) {
	for (unsigned i = 0; i < rig.thread_count; i++)
		if (rig.threads[i].thread == cpu->current) return &rig.threads[i];
	return NULL;
}

static unsigned step_number(const struct rig_thread *self) {
	return (unsigned)(self->thread->context.rip - RIG_TEXT) / CONTEXT_SYSCALL_SIZE;
}

static const struct step *step_of(const struct rig_thread *self) {
	static const struct step none;
	unsigned number = step_number(self);

	return number < RIG_STEPS ? &self->program[number] : &none;
}

// In the guest the program is behind the step that has entered it.
static bool guest_exits(const struct rig_thread *self) {
	return self->program[step_number(self) - 1].exits;
}

bool rig_may_step(unsigned core) {
	const struct rig_thread *self;
	enum step_kind kind;

	self = thread_on(host.cores[core].cpu);
	if (!self) return false;
	if (host.cores[core].way == EXIT_TO_GUEST) return guest_exits(self);
	kind = step_of(self)->kind;
	return kind != STEP_NONE && (kind != STEP_START || rig.is_started);
}

struct result rig_result(const struct rig_thread *self) {
	const struct context *context = &self->thread->context;
	const uint64_t *last = &self->result.before;
	struct result result = {.badge = context->rdi,
		.tag = context->rsi,
		.words = {context->r10, context->r8, context->r9, context->r15}};

	for (unsigned i = 0; i < sizeof(result) / sizeof(*last); i++)
		result.before = (result.before + last[i]) * 0x9e3779b97f4a7c15ul;
	return result;
}

// Once: when the kernel has it executed again, the registers are as it left them.
static void registers_load(struct rig_thread *self, const struct step *step) {
	struct context *context = &self->thread->context;
	struct ipc_buffer *buffer = self->thread->buffer_to_write;
	unsigned bit = 1u << step_number(self);

	if (self->loaded & bit) return;
	self->result = rig_result(self);
	self->loaded |= bit;
	self->entries = 0;
	context->rdx = (uint64_t)step->number;
	context->rdi = step->rdi;
	context->rsi = step->rsi;
	context->r12 = step->r12;
	context->r13 = step->r13;
	context->r10 = step->words[0];
	context->r8 = step->words[1];
	context->r9 = step->words[2];
	context->r15 = step->words[3];
	if (!buffer) return;
	access_note(buffer, sizeof(*buffer), true);
	for (unsigned i = MESSAGE_REGISTERS; i < array_count(step->words); i++)
		buffer->message[i] = step->words[i];
	for (unsigned i = 0; i < array_count(step->caps); i++)
		buffer->caps_or_badges[i] = step->caps[i];
}

static void next(struct rig_thread *self) { self->thread->context.rip += CONTEXT_SYSCALL_SIZE; }

// No core remembers of the space that it has loaded what the tables do not say any more.
static void translations_check(void) {
	explore_runs = false;
	for (unsigned i = 0; i < host.core_count; i++) {
		for (unsigned j = 0; j < HOST_TRANSLATIONS; j++) {
			const struct host_translation *row = &host.cores[i].translations[j];

			if (row->root && row->root == host.cores[i].cr3 &&
				host_walk(row->root & PAGING_ADDRESS, row->address) != row->entry)
				explore_fail("core %u still reaches page %lx", i, row->address);
		}
	}
	explore_runs = true;
}

static void system_call(struct rig_thread *self, const struct step *step) {
	struct thread *thread = self->thread;
	unsigned number = step_number(self);

	registers_load(self, step);
	if (++self->entries > RIG_ENTRIES) explore_fail("a system call does not end");
	next(self);
	entry_syscall();
	if (step->unmaps && thread->state == THREAD_RUNNING && step_number(self) > number)
		translations_check();
	rig.is_unmapped |= step->unmaps && step_number(self) > number;
}

static void touch(struct rig_thread *self) {
	uint64_t root = host_core()->cr3 & PAGING_ADDRESS, entry;

	explore_runs = false;
	entry = host_touch(RIG_PAGE);
	if (rig.is_unmapped && entry != host_walk(root, RIG_PAGE))
		explore_fail("page %x is reached as it was", RIG_PAGE);
	self->thread->context.r10 = entry & PAGING_ADDRESS;
	explore_runs = true;
	next(self);
}

static void fpu_use(struct rig_thread *self, const struct step *step) {
	struct host_core *core = host_core();

	if (!core->cpu->fpu_allowed) return entry_exception(VECTOR_NO_FPU, 0);
	if (step->kind == STEP_FPU)
		core->fpu = (uint64_t)step->number;
	else if (core->fpu != (uint64_t)step->number)
		explore_fail("the FPU holds %lx instead of %lx", core->fpu, step->number);
	next(self);
}

static void time_pass(struct rig_thread *self, const struct step *step) {
	next(self);
	host.now += (uint64_t)step->number;
	if (host.now >= host_core()->deadline) entry_interrupt(VECTOR_TIMER);
}

static void device_interrupts(struct rig_thread *self, const struct step *step) {
	next(self);
	rig.has_interrupted = true;
	apic_send((uint32_t)step->number, VECTOR_USER_FIRST);
}

void rig_step(unsigned core) {
	struct cpu *cpu = host.cores[core].cpu;
	struct rig_thread *self;
	const struct step *step;

	if (host_is_interrupted(&host.cores[core])) return entry_interrupt(host_take_interrupt());
	self = thread_on(cpu);
	if (!self) abort();
	if (host.cores[core].way == EXIT_TO_GUEST) return entry_guest_exit();
	access_note(&self->thread->context, sizeof(struct context), true);
	step = step_of(self);
	switch (step->kind) {
	case STEP_CALL: return system_call(self, step);
	case STEP_FAULT: return entry_exception(VECTOR_PROTECTION, 0);
	case STEP_TOUCH: return touch(self);
	case STEP_FPU:
	case STEP_FPU_READ: return fpu_use(self, step);
	case STEP_TIME: return time_pass(self, step);
	case STEP_DEVICE: return device_interrupts(self, step);
	case STEP_START: return next(self);
	case STEP_NONE: break;
	}
	abort();
}
