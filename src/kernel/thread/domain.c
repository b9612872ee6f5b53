// SPDX-License-Identifier: BSD-2-Clause
// Domains: their schedule, which all cores follow together (SCHED-26 to SCHED-29).
#include <thread/domain.h>

#include <cap/invocation.h>
#include <kernel.h>
#include <sched/place.h>

// Each core stands in the kernel before this one leaves it: no thread of the new domain runs while
// one of the old does. A late core is not given its time back, unless the whole slot has passed.
static void enter(struct domain_schedule *self, uint64_t index, uint64_t begin) {
	const struct platform *platform = this_cpu()->platform;
	uint64_t now = this_cpu()->now, duration = self->slots[index].duration;

	self->present = index;
	self->end = (begin + duration > now ? begin : now) + duration;
	clock_set_deadline(self->end);
	for (unsigned i = 0; i < platform->core_count; i++) {
		struct cpu *cpu = platform->cores[i];

		thread_stop(cpu->current);
		if (cpu->candidate) schedule_enqueue_first(cpu->candidate);
		if (thread_is_schedulable(cpu->current) && !cpu->current->is_queued)
			schedule_enqueue_first(cpu->current);
		ready_enter(cpu, (unsigned)self->slots[index].domain);
		core_request(cpu);
	}
}

// The other cores' timers need not know: whose came for the end of this slot comes for the next.
void domain_timer_arrived(void) {
	struct domain_schedule *self = &this_kernel()->domains;
	uint64_t next = self->present + 1;

	if (likely(!self->last)) return;
	if (this_cpu()->now < self->end) return clock_set_deadline(self->end);
	enter(self, self->slots[next].duration ? next : self->start, self->end);
}

// The thread goes from one of its core's queues to another, even while it runs.
enum error domain_set(struct invocation *invocation) {
	uint64_t domain = invocation_word(invocation, 0) & 0xff;
	struct thread *thread;
	bool is_ready;

	if (domain > this_kernel()->domains.last) return error_argument(invocation, 0);
	if (invocation->cap_count < 1) return ERROR_TRUNCATED_MESSAGE;
	if (invocation->caps[0]->cap.type != CAP_THREAD) return error_argument(invocation, 1);
	thread = cap_thread(&invocation->caps[0]->cap);
	thread_stop(thread);
	is_ready = thread_is_schedulable(thread);
	if (is_ready) schedule_dequeue(thread);
	thread->domain = (uint8_t)domain;
	if (is_ready) schedule_enqueue_first(thread);
	return ERROR_NONE;
}

static uint64_t last_slot(const struct domain_schedule *self) {
	return self->last ? DOMAIN_SCHEDULE_SLOTS - 1 : 1;
}

enum error domain_schedule_configure(struct invocation *invocation) {
	uint64_t index = invocation_word(invocation, 0), duration = invocation_word(invocation, 2);
	uint64_t domain = invocation_word(invocation, 1) & 0xff;
	struct domain_schedule *self = &this_kernel()->domains;

	if (index >= last_slot(self)) return error_range(invocation, 0, last_slot(self) - 1);
	if (domain > self->last) return error_range(invocation, 0, self->last);
	if (duration > DOMAIN_DURATION_MAX) return error_argument(invocation, 2);
	if (!duration && (domain || index == self->start))
		return error_argument(invocation, domain ? 1 : 2);
	self->slots[index] = (struct domain_slot){domain, duration};
	return ERROR_NONE;
}

enum error domain_schedule_set_start(struct invocation *invocation) {
	uint64_t index = invocation_word(invocation, 0);
	struct domain_schedule *self = &this_kernel()->domains;

	if (index > last_slot(self)) return error_range(invocation, 0, last_slot(self));
	if (!self->slots[index].duration) return error_argument(invocation, 0);
	self->start = index;
	if (self->last) enter(self, index, this_cpu()->now);
	return ERROR_NONE;
}
