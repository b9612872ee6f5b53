// SPDX-License-Identifier: BSD-2-Clause
// Thread life cycle, states, queues, and access to registers and IPC buffer.
#include <sched/thread.h>

#include <base/format.h>
#include <cpu/bases.h>
#include <sched/guest_hooks.h>
#include <ipc/notification.h>
#include <cap/object.h>
#include <sched/schedule.h>
#include <memory/space.h>
#include <cap/cspace.h>

void thread_init(void *memory) {
	const struct thread *creator = this_cpu()->current;
	struct thread *thread = memory;

	thread->context.rflags = CONTEXT_RFLAGS | CONTEXT_WHOLE;
	space_give(thread, NULL);
	fpu_reset(&thread->fpu, sizeof(thread->fpu_area), fpu_native_xcr0());
	thread->fpu_used = thread_fpu_at_start(thread);
	thread->domain = creator->domain;
	if (NACRE_DEBUG)
		format_text(thread->name, sizeof(thread->name), "child of: '%s'", creator->name);
}

// Waiting

void thread_block(struct thread *thread, enum thread_state state, struct thread **queue) {
	thread->state = (uint8_t)state;
	thread->waits_in = queue;
	wait_queue_insert(queue, thread);
}

void thread_unblock(struct thread *thread) {
	if (thread->state == THREAD_BLOCKED_SEND) endpoint_lose_sender(thread);
	wait_queue_remove(thread->waits_in, thread);
	if (thread->state == THREAD_BLOCKED_RECEIVE && thread->reply) {
		thread->reply->thread = NULL;
		thread->reply = NULL;
	}
}

void thread_cancel_ipc(struct thread *thread) {
	if (!thread_is_blocked(thread)) return;
	if (thread->state == THREAD_BLOCKED_REPLY)
		reply_cancel_wait(thread);
	else
		thread_unblock(thread);
	thread->state = THREAD_INACTIVE;
	thread->fault_kind = FAULT_NONE;
}

void thread_rewind(struct thread *thread) {
	if (thread->context.rflags & CONTEXT_WHOLE)
		thread->context.rip = thread->trap.fault_ip;
	else
		thread->context.rip -= CONTEXT_SYSCALL_SIZE;
}

void thread_suspend(struct thread *thread) {
	thread_cancel_ipc(thread);
	if (thread->state == THREAD_IN_GUEST) guest_hooks.pause(thread);
	if (thread->state == THREAD_RUNNING) {
		context_complete(&thread->context, &thread->trap);
		thread->trap.fault_ip = thread->context.rip;
	}
	thread->state = THREAD_INACTIVE;
	schedule_dequeue(thread);
	if (thread->yielding_to) sched_context_complete_yield(thread->yielding_to);
}

void thread_resume(struct thread *thread) {
	if (thread_is_runnable(thread)) return;
	thread_cancel_ipc(thread);
	thread->state = THREAD_RESTART;
	schedule_possible(thread);
}

void thread_cancel_wait(struct thread *thread) {
	if (thread->fault_kind == FAULT_NONE)
		thread_resume(thread);
	else
		thread_cancel_ipc(thread);
}

void thread_wake(struct thread *thread) {
	thread->state = THREAD_RUNNING;
	schedule_possible(thread);
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
	if (thread->state == THREAD_BLOCKED_SEND) endpoint_of_sender(thread)->cursor = NULL;
	wait_queue_insert(thread->waits_in, thread);
}

void thread_set_priority(struct thread *thread, unsigned priority) {
	if (thread != this_cpu()->current) return thread_move(thread, priority);
	thread->priority = (uint8_t)priority;
	if ((int)priority < this_cpu()->ready_top) schedule_request();
}

void thread_destroy(struct thread *thread) {
	thread_suspend(thread);
	for (unsigned i = 0; i < THREAD_SLOTS; i++)
		if (thread->slots[i].next & SLOT_OF_THREAD) thread_slot_leaves(&thread->slots[i]);
	if (thread->notification) notification_unbind(thread->notification);
	if (thread->sched_context) sched_context_unbind_thread(thread->sched_context);
	guest_hooks.detach(thread);
	fpu_forget(&thread->fpu);
}

// Capabilities

static struct thread *slot_thread(struct slot *slot) {
	return (struct thread *)align_down((uint64_t)slot, 1ul << TCB_BITS);
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
	struct thread *thread = slot_thread(slot);
	enum thread_slot index = (enum thread_slot)(slot - thread->slots);

	if (index == THREAD_CSPACE) cap ? window_open(thread, cap) : window_close(thread);
	if (index == THREAD_BUFFER) set_buffer(thread, cap);
	if (index == THREAD_SPACE) space_give(thread, cap);
	if (thread == this_cpu()->current) schedule_request();
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

// Message access

#define REGISTER(name) offsetof(struct thread, context.name)
#define TRAP(name) offsetof(struct thread, trap.name)

// Order of ReadRegisters (THR-10). Word 0 is the restart address.
static const uint16_t register_offsets[USER_CONTEXT_WORDS] = {TRAP(fault_ip), REGISTER(rsp),
	REGISTER(rflags), REGISTER(rax), REGISTER(rbx), TRAP(rcx), REGISTER(rdx), REGISTER(rsi),
	REGISTER(rdi), REGISTER(rbp), REGISTER(r8), REGISTER(r9), REGISTER(r10), TRAP(r11),
	REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15), REGISTER(fs_base),
	REGISTER(gs_base)};

static uint64_t *user_register(struct thread *thread, unsigned i) {
	struct cpu *cpu = this_cpu();

	context_complete(&thread->context, &thread->trap);
	// The bases of the current thread live in the CPU: user code changes them there.
	if (i >= REGISTER_FS_BASE && thread == cpu->current && cpu->bases_loaded) {
		bases_save(&thread->context);
		cpu->bases_loaded = false;
		schedule_request();
	}
	return (uint64_t *)((char *)thread + register_offsets[i]);
}

uint64_t thread_read_register(struct thread *thread, unsigned i) {
	uint64_t value = *user_register(thread, i);

	return i == REGISTER_RFLAGS ? value & ~CONTEXT_WHOLE : value;
}

void thread_write_register(struct thread *thread, unsigned i, uint64_t value) {
	if (i == REGISTER_RFLAGS)
		value = context_clean_rflags(value) | CONTEXT_WHOLE;
	else if (i == REGISTER_RIP || i >= REGISTER_FS_BASE)
		value = context_clean_address(value);
	*user_register(thread, i) = value;
}
