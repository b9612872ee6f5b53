// SPDX-License-Identifier: BSD-2-Clause
// Thread life cycle, states, queues, and access to registers and IPC buffer.
#include <kernel/thread.h>

#include <base/format.h>
#include <base/panic.h>
#include <cpu/bases.h>
#include <kernel/guest_hooks.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/object.h>
#include <kernel/schedule.h>

void thread_init(void *memory) {
	const struct thread *creator = this_cpu()->current;
	struct thread *thread = memory;

	context_init(&thread->context);
	fpu_reset(&thread->fpu, thread->fpu_area, sizeof(thread->fpu_area), fpu_native_xcr0());
	thread->domain = creator->domain;
	if (NACRE_DEBUG)
		format_text(thread->name, sizeof(thread->name), "child of: '%s'", creator->name);
}

// Queues

void thread_queue_insert(struct thread **head, struct thread *before, struct thread *thread) {
	struct thread *next = before ? before->queue.next : *head;

	thread->queue.next = next;
	thread->queue.previous = before ? before : next ? next->queue.previous : thread;
	if (next)
		next->queue.previous = thread;
	else if (before)
		(*head)->queue.previous = thread;
	if (before)
		before->queue.next = thread;
	else
		*head = thread;
}

// Puts thread behind all of its priority or a higher one: first come first served among equals.
static void thread_queue_insert_by_priority(struct thread **head, struct thread *thread) {
	struct thread *before = thread_queue_tail(head);

	// From the tail: with one priority only this is O(1).
	while (before && before->priority < thread->priority)
		before = thread_queue_before(head, before);
	thread_queue_insert(head, before, thread);
}

void thread_queue_remove(struct thread **head, struct thread *thread) {
	struct thread *next = thread->queue.next;
	struct thread *previous = thread->queue.previous;

	if (*head == thread)
		*head = next;
	else
		previous->queue.next = next;
	if (next)
		next->queue.previous = previous;
	else if (*head)
		(*head)->queue.previous = previous;
}

// Waiting

void thread_block(struct thread *thread, enum thread_state state, struct thread **queue) {
	thread->state = (uint8_t)state;
	thread->waits_in = queue;
	thread_queue_insert_by_priority(queue, thread);
}

void thread_unblock(struct thread *thread) {
	thread_queue_remove(thread->waits_in, thread);
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
	thread->fault.kind = FAULT_NONE;
}

void thread_suspend(struct thread *thread) {
	thread_cancel_ipc(thread);
	if (thread->state == THREAD_RUNNING) thread->context.fault_ip = thread->context.rip;
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
	if (thread->fault.kind == FAULT_NONE)
		thread_resume(thread);
	else
		thread_cancel_ipc(thread);
}

void thread_wake(struct thread *thread) {
	thread->state = THREAD_RUNNING;
	schedule_possible(thread);
}

void thread_set_priority(struct thread *thread, unsigned priority) {
	bool was_queued = thread->is_queued;

	if (was_queued) schedule_dequeue(thread);
	thread->priority = (uint8_t)priority;
	if (was_queued) {
		schedule_enqueue_first(thread);
	} else if (thread == this_cpu()->current) {
		schedule_again();
	} else if (thread_is_blocked(thread) && thread->state != THREAD_BLOCKED_REPLY) {
		thread_queue_remove(thread->waits_in, thread);
		thread_queue_insert_by_priority(thread->waits_in, thread);
	}
}

void thread_destroy(struct thread *thread) {
	struct cpu *cpu = this_cpu();

	thread_suspend(thread);
	if (thread->notification) notification_unbind(thread->notification);
	if (thread->sched_context) sched_context_unbind_thread(thread->sched_context);
	guest_hooks.detach(thread);
	fpu_forget(&thread->fpu);
	if (cpu->bases_owner == thread) cpu->bases_owner = NULL;
}

// Message access

static struct ipc_buffer *buffer_with_rights(const struct thread *thread, unsigned rights) {
	const struct cap *frame = &thread->slots[THREAD_BUFFER].cap;
	uint64_t offset;

	if (frame->type != CAP_FRAME || frame->device || (frame->rights & rights) != rights)
		return NULL;
	offset = thread->buffer_address & ((1ul << frame->size_bits) - 1);
	return (struct ipc_buffer *)((char *)cap_object(frame) + offset);
}

struct ipc_buffer *thread_buffer_to_write(const struct thread *thread) {
	return buffer_with_rights(thread, RIGHT_READ | RIGHT_WRITE);
}

const struct ipc_buffer *thread_buffer_to_read(const struct thread *thread) {
	return buffer_with_rights(thread, RIGHT_READ);
}

struct lookup thread_lookup(const struct thread *thread, uint64_t address) {
	return cspace_walk(&thread->slots[THREAD_CSPACE].cap, address, 64);
}

#define REGISTER(name) offsetof(struct context, name)

// Registers of the message convention: words 0..3.
static const uint16_t message_offsets[MESSAGE_REGISTERS] = {
	REGISTER(r10), REGISTER(r8), REGISTER(r9), REGISTER(r15)};

uint64_t *thread_message_register(struct thread *thread, unsigned i) {
	assert(i < MESSAGE_REGISTERS);
	return (uint64_t *)((char *)&thread->context + message_offsets[i]);
}

// Order of usercontext.md 1. Word 0 is the restart address.
static const uint16_t register_offsets[USER_CONTEXT_WORDS] = {REGISTER(fault_ip), REGISTER(rsp),
	REGISTER(rflags), REGISTER(rax), REGISTER(rbx), REGISTER(rcx), REGISTER(rdx), REGISTER(rsi),
	REGISTER(rdi), REGISTER(rbp), REGISTER(r8), REGISTER(r9), REGISTER(r10), REGISTER(r11),
	REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15), REGISTER(fs_base),
	REGISTER(gs_base)};

static uint64_t *user_register(struct thread *thread, unsigned i) {
	// The bases of the loaded thread live in the CPU: user code changes them there.
	if (i >= REGISTER_FS_BASE && this_cpu()->bases_owner == thread) {
		bases_save(&thread->context);
		this_cpu()->bases_owner = NULL;
	}
	return (uint64_t *)((char *)&thread->context + register_offsets[i]);
}

uint64_t thread_read_register(struct thread *thread, unsigned i) {
	return *user_register(thread, i);
}

void thread_write_register(struct thread *thread, unsigned i, uint64_t value) {
	if (i == REGISTER_RFLAGS)
		value = context_clean_rflags(value);
	else if (i == REGISTER_RIP || i >= REGISTER_FS_BASE)
		value = context_clean_address(value);
	*user_register(thread, i) = value;
	thread->context.how = CONTEXT_IRET;
}
