// SPDX-License-Identifier: BSD-2-Clause
// Thread invocations: registers, priorities, running and stopping.
#include <kernel/invocation.h>
#include <kernel/notification.h>
#include <kernel/schedule.h>
#include <kernel/thread.h>

static struct thread *target_of(const struct invocation *invocation) {
	return cap_thread(&invocation->slot->cap);
}

enum {
	FLAG_SUSPEND_SOURCE = 1 << 0, // ReadRegisters, CopyRegisters
	FLAG_RESUME_TARGET = 1 << 0, // WriteRegisters
	COPY_RESUME_TARGET = 1 << 1,
	COPY_FRAME = 1 << 2,
	COPY_INTEGER = 1 << 3,
	COPY_FRAME_WORDS = 18, // words 0..17 are the frame set, 18 and 19 the integer set
};

enum error tcb_read_registers(struct invocation *invocation) {
	struct thread *thread = target_of(invocation);
	uint64_t count = invocation_word(invocation, 1);

	if (count < 1 || count > USER_CONTEXT_WORDS)
		return error_range(invocation, 1, USER_CONTEXT_WORDS);
	if (thread == invocation->caller) return ERROR_ILLEGAL_OPERATION;

	if (invocation_word(invocation, 0) & FLAG_SUSPEND_SOURCE) thread_suspend(thread);
	for (unsigned i = 0; i < count; i++)
		invocation->results[i] = thread_read_register(thread, i);
	invocation->result_length = (unsigned)count;
	return ERROR_NONE;
}

enum error tcb_write_registers(struct invocation *invocation) {
	struct thread *thread = target_of(invocation);
	uint64_t count = invocation_word(invocation, 1);

	if (invocation->length - 2 < count) return ERROR_TRUNCATED_MESSAGE;
	if (thread == invocation->caller) return ERROR_ILLEGAL_OPERATION;

	for (unsigned i = 0; i < count && i < USER_CONTEXT_WORDS; i++)
		thread_write_register(thread, i, invocation_word(invocation, 2 + i));
	thread->context.rip = thread->context.fault_ip;
	if (invocation_word(invocation, 0) & FLAG_RESUME_TARGET) thread_resume(thread);
	return ERROR_NONE;
}

static void copy_words(struct thread *to, struct thread *from, unsigned first, unsigned end) {
	for (unsigned i = first; i < end; i++)
		thread_write_register(to, i, thread_read_register(from, i));
}

enum error tcb_copy_registers(struct invocation *invocation) {
	struct thread *to = target_of(invocation);
	uint64_t flags = invocation_word(invocation, 0);
	struct thread *from;

	if (invocation->caps[0]->cap.type != CAP_THREAD) return error_capability(invocation, 1);
	from = cap_thread(&invocation->caps[0]->cap);

	if (flags & FLAG_SUSPEND_SOURCE) thread_suspend(from);
	if (flags & COPY_RESUME_TARGET) thread_resume(to);
	if (flags & COPY_FRAME) {
		copy_words(to, from, 0, COPY_FRAME_WORDS);
		to->context.rip = to->context.fault_ip;
	}
	if (flags & COPY_INTEGER) copy_words(to, from, COPY_FRAME_WORDS, USER_CONTEXT_WORDS);
	if (to == this_cpu()->current) schedule_again();
	return ERROR_NONE;
}

// The authority's maximum controlled priority bounds value (semantics.md F8).
static enum error check_priority(struct invocation *invocation, uint64_t value) {
	const struct cap *authority = &invocation->caps[0]->cap;

	if (authority->type != CAP_THREAD) return error_capability(invocation, 1);
	if (value > cap_thread(authority)->max_priority)
		return error_range(invocation, 0, cap_thread(authority)->max_priority);
	return ERROR_NONE;
}

enum error tcb_set_priority(struct invocation *invocation) {
	uint64_t priority = invocation_word(invocation, 0);
	enum error error = check_priority(invocation, priority);

	if (error == ERROR_NONE) thread_set_priority(target_of(invocation), (unsigned)priority);
	return error;
}

enum error tcb_set_mc_priority(struct invocation *invocation) {
	uint64_t priority = invocation_word(invocation, 0);
	enum error error = check_priority(invocation, priority);

	if (error == ERROR_NONE) target_of(invocation)->max_priority = (uint8_t)priority;
	return error;
}

enum error tcb_suspend(struct invocation *invocation) {
	thread_suspend(target_of(invocation));
	return ERROR_NONE;
}

enum error tcb_resume(struct invocation *invocation) {
	thread_resume(target_of(invocation));
	return ERROR_NONE;
}

enum error tcb_bind_notification(struct invocation *invocation) {
	struct thread *thread = target_of(invocation);
	const struct cap *cap = &invocation->caps[0]->cap;
	struct notification *notification;

	if (thread->notification || cap->type != CAP_NOTIFICATION || !(cap->rights & RIGHT_READ))
		return ERROR_ILLEGAL_OPERATION;
	notification = cap_object(cap);
	if (notification->head || notification->bound) return ERROR_ILLEGAL_OPERATION;

	notification_bind(notification, thread);
	return ERROR_NONE;
}

enum error tcb_unbind_notification(struct invocation *invocation) {
	struct thread *thread = target_of(invocation);

	if (!thread->notification) return ERROR_ILLEGAL_OPERATION;
	notification_unbind(thread->notification);
	return ERROR_NONE;
}

enum error tcb_set_tls_base(struct invocation *invocation) {
	enum {
		WORD_FS_BASE = 18,
	};
	struct thread *thread = target_of(invocation);
	uint64_t how = thread->context.how;

	thread_write_register(thread, WORD_FS_BASE, invocation_word(invocation, 0));
	thread->context.how = how;
	return ERROR_NONE;
}

enum error tcb_set_flags(struct invocation *invocation) {
	struct thread *thread = target_of(invocation);
	uint64_t clear = invocation_word(invocation, 0);
	uint64_t set = invocation_word(invocation, 1);

	thread->flags = (uint8_t)((thread->flags & ~clear) | (set & THREAD_KNOWN_FLAGS));
	return invocation_return(invocation, thread->flags);
}
