// SPDX-License-Identifier: BSD-2-Clause
// Ready and release queues.
#include <kernel/run_queue.h>

#include <base/bits.h>
#include <base/panic.h>
#include <kernel/schedule.h>
#include <kernel/thread_queue.h>
#include <kernel/trace.h>

static struct scheduler *scheduler(void) { return this_cpu()->scheduler; }

// The queue of this priority has its first thread.
static void ready_mark(struct scheduler *self, unsigned priority) {
	self->ready_bits[priority / 64] |= 1ul << priority % 64;
	if ((int)priority > this_cpu()->ready_top) this_cpu()->ready_top = (int)priority;
}

static int32_t ready_highest(const struct scheduler *self) {
	for (int word = PRIORITIES / 64 - 1; word >= 0; word--)
		if (self->ready_bits[word])
			return word * 64 + (int)bits_highest(self->ready_bits[word]);
	return -1;
}

// The queue of this priority has lost its last thread.
static void ready_clear(struct scheduler *self, unsigned priority) {
	self->ready_bits[priority / 64] &= ~(1ul << priority % 64);
	if ((int)priority == this_cpu()->ready_top) this_cpu()->ready_top = ready_highest(self);
}

void ready_append(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	assert(!thread->is_queued && !thread->is_released);
	thread->is_queued = true;
	if (!*head) ready_mark(self, thread->priority);
	thread_queue_append(head, thread);
}

void ready_prepend(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	assert(!thread->is_queued && !thread->is_released);
	thread->is_queued = true;
	if (!*head) ready_mark(self, thread->priority);
	thread_queue_prepend(head, thread);
}

void ready_remove(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	thread->is_queued = false;
	thread_queue_remove(head, thread);
	if (!*head) ready_clear(self, thread->priority);
}

// Release queue

void release_insert(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread *before = thread_queue_tail(&self->release);

	while (before && release_time(before) > release_time(thread))
		before = thread_queue_before(&self->release, before);
	thread_queue_insert(&self->release, before, thread);
	thread->is_released = true;
	schedule_again();
}

void release_remove(struct thread *thread) {
	thread_queue_remove(&scheduler()->release, thread);
	thread->is_released = false;
}

void run_queue_check(void) {
	const struct scheduler *self = scheduler();
	const struct thread *thread;

	assert(this_cpu()->ready_top == ready_highest(self));
	for (unsigned i = 0; i < PRIORITIES; i++) {
		assert(!self->ready[i] == !(self->ready_bits[i / 64] >> i % 64 & 1));
		for (thread = self->ready[i]; thread; thread = thread->queue.next)
			assert(thread->is_queued && thread->priority == i);
	}
	for (thread = self->release; thread && thread->queue.next; thread = thread->queue.next)
		assert(thread->is_released && thread->queue.next->queue.previous == thread &&
			release_time(thread) <= release_time(thread->queue.next));
}

static void dump_queue(const struct thread *thread, const char *name) {
	for (; thread; thread = thread->queue.next)
		print("  %-16s %-8s priority %3u state %u rip %lx\n", thread->name, name,
			thread->priority, thread->state, thread->context.rip);
}

void run_queue_dump(void) {
	const struct scheduler *self = scheduler();

	print("scheduler: now %lu ticks, current '%s'\n", schedule_now(),
		this_cpu()->current->name);
	for (int priority = PRIORITIES - 1; priority >= 0; priority--)
		dump_queue(self->ready[priority], "ready");
	dump_queue(self->release, "release");
}
