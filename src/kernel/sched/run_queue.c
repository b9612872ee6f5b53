// SPDX-License-Identifier: BSD-2-Clause
// Ready and release queues.
#include <sched/run_queue.h>

#include <base/panic.h>
#include <kernel.h>

// Ready queues

// The thread's queue, which it joins.
static struct thread **ready_queue_of(struct thread *thread) {
	struct cpu *cpu = thread->cpu;
	unsigned level = thread->level;
	struct thread **head = &cpu->scheduler.ready[level];

	assert(!thread->is_queued && !thread->is_released && core_may_touch(cpu));
	thread->is_queued = true;
	if (*head) return head;
	cpu->scheduler.ready_bits[level / 64] |= 1ul << level % 64;
	if ((int)level > cpu->ready_top && thread->domain == cpu->scheduler.domain)
		cpu->ready_top = (int)level;
	return head;
}

// Of the levels of a domain, up to this one.
static int32_t ready_highest(const struct scheduler *self, unsigned most) {
	for (unsigned word = most / 64 + 1; word-- > most / PRIORITIES * PRIORITIES / 64;)
		if (self->ready_bits[word])
			return (int32_t)(word * 64 + bits_highest(self->ready_bits[word]));
	return -1;
}

void ready_enter(struct cpu *cpu, unsigned domain) {
	cpu->scheduler.domain = domain;
	cpu->ready_top = ready_highest(&cpu->scheduler, (domain + 1) * PRIORITIES - 1);
}

// The queue of this level has lost its last thread.
static void ready_clear(struct cpu *cpu, unsigned level) {
	cpu->scheduler.ready_bits[level / 64] &= ~(1ul << level % 64);
	if ((int)level == cpu->ready_top) cpu->ready_top = ready_highest(&cpu->scheduler, level);
}

void ready_append(struct thread *thread) { thread_queue_append(ready_queue_of(thread), thread); }

void ready_prepend(struct thread *thread) { thread_queue_prepend(ready_queue_of(thread), thread); }

void ready_remove(struct thread *thread) {
	struct cpu *cpu = thread->cpu;
	struct thread **head = &cpu->scheduler.ready[thread->level];

	assert(core_may_touch(cpu));
	thread->is_queued = false;
	thread_queue_remove(head, thread);
	if (!*head) ready_clear(cpu, thread->level);
}

struct thread *ready_take(struct cpu *cpu) {
	struct thread **head = &cpu->scheduler.ready[cpu->ready_top];
	struct thread *thread = *head;

	thread->is_queued = false;
	thread_queue_take_first(head);
	if (!*head) ready_clear(cpu, thread->level);
	return thread;
}

// Release queue

static unsigned rank(const struct thread *thread) { return thread ? thread->is_released : 0; }

// Children changed: false if that changes nothing for the parent.
static bool settle(struct thread *thread) {
	struct thread_link *children = &thread->queue;
	uint8_t before = thread->is_released;

	if (rank(children->previous) < rank(children->next))
		*children = (struct thread_link){children->previous, children->next};
	thread->is_released = (uint8_t)(rank(children->next) + 1);
	return thread->is_released != before;
}

// Joins two heaps below parent, along their right children; returns the root.
static struct thread *merge(struct thread *parent, struct thread *one, struct thread *other) {
	struct thread *root = NULL, *above = parent;
	struct thread **link = &root;

	while (one && other) {
		struct thread *first = release_time(other) < release_time(one) ? other : one;

		if (first == other) other = one;
		*link = first;
		first->partner = above;
		above = first;
		link = &first->queue.next;
		one = *link;
	}
	*link = one ? one : other;
	if (*link) (*link)->partner = above;
	for (; above != parent; above = above->partner)
		settle(above);
	return root;
}

void release_insert(struct thread *thread) {
	struct thread **root = &thread->cpu->scheduler.release;

	thread->queue = (struct thread_link){};
	thread->is_released = 1;
	*root = merge(NULL, *root, thread);
	core_request(thread->cpu);
}

void release_remove(struct thread *thread) {
	struct thread *parent = thread->partner;
	struct thread *rest = merge(parent, thread->queue.previous, thread->queue.next);

	assert(core_may_touch(thread->cpu));
	if (!parent)
		thread->cpu->scheduler.release = rest;
	else if (parent->queue.next == thread)
		parent->queue.next = rest;
	else
		parent->queue.previous = rest;
	while (parent && settle(parent))
		parent = parent->partner;
	thread->is_released = 0;
}

const struct thread *release_next(const struct thread *thread) {
	const struct thread *parent = thread->partner;

	if (thread->queue.previous) return thread->queue.previous;
	while (parent && (parent->queue.next == thread || !parent->queue.next)) {
		thread = parent;
		parent = parent->partner;
	}
	return parent ? parent->queue.next : NULL;
}

// The check of both

void run_queue_check(void) {
	const struct scheduler *self = &this_cpu()->scheduler;
	const struct thread *thread;

	assert(this_cpu()->ready_top == ready_highest(self, (self->domain + 1) * PRIORITIES - 1));
	for (unsigned i = 0; i < (this_kernel()->domains.last + 1) * PRIORITIES; i++) {
		assert(!self->ready[i] == !(self->ready_bits[i / 64] >> i % 64 & 1));
		for (thread = self->ready[i]; thread; thread = thread->queue.next)
			assert(thread->is_queued && thread->level == i &&
				thread->cpu == this_cpu());
	}
	assert(!self->release || !self->release->partner);
	for (thread = self->release; thread; thread = release_next(thread))
		assert(thread->is_released && !thread->is_queued &&
			(!thread->partner ||
				release_time(thread->partner) <= release_time(thread)));
}
