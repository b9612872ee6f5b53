// SPDX-License-Identifier: BSD-2-Clause
#include "outcome.h"

#include "rig.h"

#include <cpu/fpu.h>
#include <cpu/paging.h>
#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <ipc/reply.h>
#include <sched/sched_context.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *start;
	unsigned length;
};

[[gnu::format(printf, 2, 3)]] static void add(struct text *text, const char *format, ...) {
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(
		text->start + text->length, OUTCOME_SIZE - text->length, format, arguments);
	va_end(arguments);
	text->length += (unsigned)length;
	if (text->length >= OUTCOME_SIZE) text->length = OUTCOME_SIZE - 1;
}

// The number of a thread; -1: none.
static int number_of(const struct thread *thread) {
	for (unsigned i = 0; i < rig.thread_count; i++)
		if (rig.threads[i].thread == thread) return (int)i;
	return -1;
}

static const char *const states[] = {"inactive", "running", "restart", "in guest", "sends",
	"receives", "waits for a reply", "waits for a signal", "idle"};

static bool is_current(const struct thread *thread) { return thread->cpu->current == thread; }

// What its registers of the FPU hold: in the core, or saved.
static uint64_t fpu_of(const struct thread *thread) {
	const struct cpu *cpu = thread->cpu;
	const struct fpu_state *owner = cpu->fpu_allowed ? cpu->fpu_allowed : cpu->fpu_parked;

	if (owner == &thread->fpu) return host.cores[cpu->number].fpu;
	return *(const uint64_t *)(const void *)thread->fpu.area;
}

// The step that it goes on with, if it can or is resumed.
static unsigned step_of(const struct thread *thread) {
	uint64_t rip = thread->context.rip;

	if (thread->state != THREAD_RUNNING)
		rip = thread->context.rflags & CONTEXT_WHOLE ? thread->trap.fault_ip
							     : rip - CONTEXT_SYSCALL_SIZE;
	return (unsigned)(rip - RIG_TEXT) / CONTEXT_SYSCALL_SIZE;
}

// What the program finds, or has found before it set its registers for a step that it will execute
// again.
static struct result result_of(const struct rig_thread *self) {
	bool is_blocked = thread_is_blocked(self->thread);

	if (!is_blocked && self->loaded >> step_of(self->thread) & 1) return self->result;
	return rig_result(self);
}

static void add_thread(struct text *text, unsigned number) {
	const struct thread *thread = rig.threads[number].thread;
	struct result result = result_of(&rig.threads[number]);
	bool is_able = thread_is_runnable(thread);

	add(text, "thread %u: %s%s, step %u, core %u, priority %u, fault %u, %s, fpu %lx\n", number,
		is_able ? "" : states[thread->state],
		!is_able                     ? ""
			: is_current(thread) ? "runs"
			: thread->is_queued  ? "ready"
					     : "stuck",
		step_of(thread), thread->cpu->number, thread->priority, thread->fault_kind,
		thread->sched_context ? "has time" : "has no time", fpu_of(thread));
	add(text, "  badge %lx tag %lx words %lx %lx %lx %lx, before %lx\n", result.badge,
		result.tag, result.words[0], result.words[1], result.words[2], result.words[3],
		result.before);
}

static void add_queue(struct text *text, const struct thread *thread) {
	for (; thread; thread = thread->queue.next)
		add(text, " %d", number_of(thread));
	add(text, "\n");
}

static void add_context(struct text *text, unsigned slot, const struct sched_context *context) {
	add(text, "context %u: thread %d, core %d, calls:", slot, number_of(context->thread),
		context->cpu ? (int)context->cpu->number : -1);
	for (const struct reply *reply = context->reply; reply; reply = reply->older)
		add(text, " %d", number_of(reply->thread));
	add(text, "\n");
}

static void add_notification(
	struct text *text, unsigned slot, const struct notification *notification) {
	add(text, "notification %u: %s %lx, bound %d, waits:", slot,
		notification->is_active ? "active" : "-", notification->word,
		number_of(notification->bound));
	add_queue(text, notification->head);
}

static void add_slot(struct text *text, unsigned slot) {
	const struct cap *cap = &rig.slots[slot].cap;

	switch (cap->type) {
	case CAP_NULL: return;
	case CAP_ENDPOINT:
		add(text, "endpoint %u:", slot);
		return add_queue(text, ((const struct endpoint *)cap_object(cap))->head);
	case CAP_NOTIFICATION: return add_notification(text, slot, cap_object(cap));
	case CAP_SCHED_CONTEXT: return add_context(text, slot, cap_object(cap));
	case CAP_REPLY:
		return add(text, "reply %u: %d\n", slot,
			number_of(((const struct reply *)cap_object(cap))->thread));
	default: return add(text, "slot %u: type %u word %lx\n", slot, cap->type, cap->word);
	}
}

static void add_core(struct text *text, const struct host_core *core) {
	const struct cpu *cpu = core->cpu;

	add(text, "core %u: runs %d", cpu->number, number_of(cpu->current));
	for (unsigned i = PRIORITIES; i-- > 0;) {
		if (!cpu->scheduler.ready[i]) continue;
		add(text, ", ready at %u:", i);
		for (const struct thread *thread = cpu->scheduler.ready[i]; thread;
			thread = thread->queue.next)
			add(text, " %d", number_of(thread));
	}
	add(text, "\n");
}

void outcome_write(char *start) {
	struct text text = {start, 0};

	for (unsigned i = 0; i < rig.thread_count; i++)
		add_thread(&text, i);
	for (unsigned i = 0; i < host.core_count; i++)
		add_core(&text, &host.cores[i]);
	for (unsigned i = SLOT_CONTEXT; i < 1 << RIG_RADIX; i++)
		add_slot(&text, i);
	add(&text, "page %lx\n", host_walk(host.cores[0].cr3 & PAGING_ADDRESS, RIG_PAGE));
}
