// SPDX-License-Identifier: BSD-2-Clause
// Ready and release queues.
#include <sched/run_queue.h>

#include <base/bits.h>
#include <cpu/console.h>

// The thread's queue, which it joins.
static struct thread **ready_queue_of(struct thread *thread) {
	struct cpu *cpu = thread->cpu;
	unsigned priority = thread->priority;
	struct thread **head = &cpu->scheduler.ready[priority];

	assert(!thread->is_queued && !thread->is_released);
	thread->is_queued = true;
	if (*head) return head;
	cpu->scheduler.ready_bits[priority / 64] |= 1ul << priority % 64;
	if ((int)priority > cpu->ready_top) cpu->ready_top = (int)priority;
	return head;
}

static int32_t ready_highest(const struct scheduler *self, unsigned most) {
	for (int word = (int)(most / 64); word >= 0; word--)
		if (self->ready_bits[word])
			return word * 64 + (int)bits_highest(self->ready_bits[word]);
	return -1;
}

// The queue of this priority has lost its last thread.
static void ready_clear(struct cpu *cpu, unsigned priority) {
	cpu->scheduler.ready_bits[priority / 64] &= ~(1ul << priority % 64);
	if ((int)priority == cpu->ready_top)
		cpu->ready_top = ready_highest(&cpu->scheduler, priority);
}

void ready_append(struct thread *thread) { thread_queue_append(ready_queue_of(thread), thread); }

void ready_prepend(struct thread *thread) { thread_queue_prepend(ready_queue_of(thread), thread); }

void ready_remove(struct thread *thread) {
	struct cpu *cpu = thread->cpu;
	struct thread **head = &cpu->scheduler.ready[thread->priority];

	thread->is_queued = false;
	thread_queue_remove(head, thread);
	if (!*head) ready_clear(cpu, thread->priority);
}

struct thread *ready_take(struct cpu *cpu) {
	struct thread **head = &cpu->scheduler.ready[cpu->ready_top];
	struct thread *thread = *head;

	thread->is_queued = false;
	thread_queue_take_first(head);
	if (!*head) ready_clear(cpu, thread->priority);
	return thread;
}

// Release queue

void release_insert(struct thread *thread) {
	release_queue_insert(&thread->cpu->scheduler.release, thread);
	thread->cpu->need_resched = true;
}

void release_remove(struct thread *thread) {
	release_queue_remove(&thread->cpu->scheduler.release, thread);
}

void run_queue_check(void) {
	const struct scheduler *self = &this_cpu()->scheduler;
	const struct thread *thread;

	assert(this_cpu()->ready_top == ready_highest(self, PRIORITIES - 1));
	for (unsigned i = 0; i < PRIORITIES; i++) {
		assert(!self->ready[i] == !(self->ready_bits[i / 64] >> i % 64 & 1));
		for (thread = self->ready[i]; thread; thread = thread->queue.next)
			assert(thread->is_queued && thread->priority == i &&
				thread->cpu == this_cpu());
	}
	assert(!self->release || !self->release->partner);
	for (thread = self->release; thread; thread = release_queue_next(thread))
		assert(thread->is_released && !thread->is_queued &&
			(!thread->partner ||
				release_time(thread->partner) <= release_time(thread)));
}

static void dump(const struct thread *thread, const char *name) {
	print("  %-16s %-8s priority %3u state %u rip %lx\n", thread->name, name, thread->priority,
		thread->state, thread->context.rip);
}

void run_queue_dump(void) {
	const struct scheduler *self = &this_cpu()->scheduler;
	const struct thread *thread;

	print("scheduler: now %lu ticks, current '%s'\n", this_cpu()->now,
		this_cpu()->current->name);
	for (int priority = PRIORITIES - 1; priority >= 0; priority--)
		for (thread = self->ready[priority]; thread; thread = thread->queue.next)
			dump(thread, "ready");
	for (thread = self->release; thread; thread = release_queue_next(thread))
		dump(thread, "release");
}
