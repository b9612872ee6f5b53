// SPDX-License-Identifier: BSD-2-Clause
// Threads as objects: stopping, priority, destruction, and the capabilities they act with.
#include <thread/life.h>

#include <base/format.h>
#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <memory/space.h>
#include <sched/place.h>

// The thread runs in the space of a root with an ASID from now on; null: in the kernel's.
static void give_space(struct thread *thread, const struct cap *cap) {
	thread->program_root = space_program_root(cap);
	thread->space_root = pcid_kernel_root(thread->program_root);
}

void thread_init(void *memory) {
	const struct thread *creator = this_cpu()->current;
	struct thread *thread = memory;

	thread->context.rflags = CONTEXT_RFLAGS | CONTEXT_WHOLE;
	thread->cpu = this_cpu();
	give_space(thread, NULL);
	fpu_reset(&thread->fpu, sizeof(thread->fpu_area), fpu_native_xcr0());
	thread->fpu_used = thread_fpu_at_start(thread);
	thread->domain = creator->domain;
	if (NACRE_DEBUG)
		format_text(thread->name, sizeof(thread->name), "child of: '%s'", creator->name);
}

void thread_suspend(struct thread *thread) {
	thread_stop(thread);
	thread_cancel_ipc(thread);
	if (thread->state == THREAD_RUNNING) {
		context_complete(&thread->context, &thread->trap);
		thread->trap.fault_ip = thread->context.rip;
	}
	thread->state = THREAD_INACTIVE;
	schedule_dequeue(thread);
	if (thread->yielding_to) sched_context_complete_yield(thread->yielding_to);
}

// Where the thread is queued or waits it finds its new place.
static void thread_move(struct thread *thread, unsigned priority) {
	bool was_queued = thread->is_queued;
	bool waits = thread_is_blocked(thread) && thread->state != THREAD_BLOCKED_REPLY;

	if (was_queued) schedule_dequeue(thread);
	if (waits) wait_queue_remove(thread->waits_in, thread);
	thread->priority = (uint8_t)priority;
	if (was_queued) schedule_enqueue_first(thread);
	if (!waits) return;
	if (thread->state == THREAD_BLOCKED_SEND) endpoint_move_sender(thread);
	wait_queue_insert(thread->waits_in, thread);
}

void thread_set_priority(struct thread *thread, unsigned priority) {
	struct cpu *cpu = thread->cpu;

	if (thread != cpu->current) return thread_move(thread, priority);
	thread->priority = (uint8_t)priority;
	if (thread->level < cpu->ready_top) core_request(cpu);
}

// Removes all references to the thread; it never runs again. Its slots remain.
void thread_cap_destroy(struct slot *slot, bool last) {
	struct thread *thread = cap_thread(&slot->cap);

	if (!last) return;
	thread_suspend(thread);
	for (unsigned i = 0; i < THREAD_SLOTS; i++)
		if (thread->slots[i].next & SLOT_OF_THREAD) thread_slot_leaves(&thread->slots[i]);
	if (thread->notification) notification_unbind(thread->notification);
	if (thread->sched_context) sched_context_unbind_thread(thread->sched_context);
	vcpu_detach(thread);
	thread_take_fpu(thread);
	slot_make_zombie(slot, thread->slots, THREAD_SLOT_RADIX);
}

static void set_buffer(struct thread *thread, const struct cap *frame) {
	struct ipc_buffer *buffer;
	uint64_t offset;

	thread->buffer_to_read = thread->buffer_to_write = NULL;
	if (!frame || frame->device || !(frame->rights & RIGHT_READ)) return;
	offset = thread->buffer_address & ((1ul << frame->size_bits) - 1);
	buffer = (struct ipc_buffer *)((char *)cap_object(frame) + offset);
	thread->buffer_to_read = buffer;
	if (frame->rights & RIGHT_WRITE) thread->buffer_to_write = buffer;
}

// The slot holds cap now; null: nothing.
[[gnu::always_inline]] static inline void slot_changes(struct slot *slot, const struct cap *cap) {
	struct thread *thread = (struct thread *)align_down((uint64_t)slot, 1ul << TCB_BITS);
	enum thread_slot index = (enum thread_slot)(slot - thread->slots);

	thread_stop(thread);
	if (index == THREAD_CSPACE)
		cspace_cache_set(&thread->cache, &thread->slots[THREAD_CACHE], cap);
	if (index == THREAD_CACHE) thread->cache.count = 0;
	if (index == THREAD_BUFFER) set_buffer(thread, cap);
	if (index == THREAD_SPACE) give_space(thread, cap);
	if (index == THREAD_GUEST_SPACE) thread->cpu->guest_prepared = NULL;
	if (cap) space_used_on(cap, thread->cpu);
	if (thread == thread->cpu->current) core_request(thread->cpu);
}

void thread_fill_slot(struct slot *slot, struct cap cap, struct slot *source) {
	derive_insert_copy(slot, cap, source);
	slot->next |= SLOT_OF_THREAD;
	slot_changes(slot, &cap);
}

void thread_slot_leaves(struct slot *slot) {
	slot->next &= ~(uint64_t)SLOT_OF_THREAD;
	slot_changes(slot, NULL);
}
