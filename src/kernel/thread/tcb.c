// SPDX-License-Identifier: BSD-2-Clause
// Thread invocations: registers, priorities, running and stopping; and what a thread acts with:
// spaces, IPC buffer, handlers, context.
#include <cap/invocation.h>
#include <ipc/notification.h>
#include <memory/space.h>
#include <sched/place.h>
#include <thread/life.h>

enum {
	FLAG_SUSPEND_SOURCE = 1 << 0, // ReadRegisters, CopyRegisters
	FLAG_RESUME_TARGET = 1 << 0, // WriteRegisters
	COPY_RESUME_TARGET = 1 << 1,
	COPY_FRAME = 1 << 2,
	COPY_INTEGER = 1 << 3,
	COPY_FRAME_WORDS = 18, // words 0..17 are the frame set, 18 and 19 the integer set
};

enum error tcb_read_registers(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);
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
	struct thread *thread = invocation_object(invocation);
	uint64_t count = invocation_word(invocation, 1);

	if (invocation->length - 2 < count) return ERROR_TRUNCATED_MESSAGE;
	if (thread == invocation->caller) return ERROR_ILLEGAL_OPERATION;

	for (unsigned i = 0; i < count && i < USER_CONTEXT_WORDS; i++)
		thread_write_register(thread, i, invocation_word(invocation, 2 + i));
	thread->context.rip = thread->trap.fault_ip;
	if (invocation_word(invocation, 0) & FLAG_RESUME_TARGET) thread_resume(thread);
	return ERROR_NONE;
}

enum error tcb_copy_registers(struct invocation *invocation) {
	struct thread *to = invocation_object(invocation);
	uint64_t flags = invocation_word(invocation, 0);
	struct thread *from = cap_thread(&invocation->caps[0]->cap);

	if (invocation->caps[0]->cap.type != CAP_THREAD) return error_capability(invocation, 1);

	thread_stop(from);
	if (flags & FLAG_SUSPEND_SOURCE) thread_suspend(from);
	if (flags & COPY_RESUME_TARGET) thread_resume(to);
	for (unsigned i = 0; i < USER_CONTEXT_WORDS; i++)
		if (flags & (i < COPY_FRAME_WORDS ? COPY_FRAME : COPY_INTEGER))
			thread_write_register(to, i, thread_read_register(from, i));
	if (flags & COPY_FRAME) to->context.rip = to->trap.fault_ip;
	if (to == to->cpu->current) core_request(to->cpu);
	return ERROR_NONE;
}

// The authority's maximum controlled priority bounds the priority in a word (THR-17).
static enum error check_priority(struct invocation *invocation, unsigned word) {
	const struct cap *authority = &invocation->caps[0]->cap;

	if (authority->type != CAP_THREAD) return error_capability(invocation, 1);
	if (invocation_word(invocation, word) > cap_thread(authority)->max_priority)
		return error_range(invocation, 0, cap_thread(authority)->max_priority);
	return ERROR_NONE;
}

enum error tcb_set_priority(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);
	enum error error = check_priority(invocation, 0);

	if (!error) thread_set_priority(thread, (unsigned)invocation_word(invocation, 0));
	return error;
}

enum error tcb_set_mc_priority(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);
	enum error error = check_priority(invocation, 0);

	if (!error) thread->max_priority = (uint8_t)invocation_word(invocation, 0);
	return error;
}

enum error tcb_suspend(struct invocation *invocation) {
	thread_suspend(invocation_object(invocation));
	return ERROR_NONE;
}

enum error tcb_resume(struct invocation *invocation) {
	thread_resume(invocation_object(invocation));
	return ERROR_NONE;
}

enum error tcb_bind_notification(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);
	const struct cap *cap = &invocation->caps[0]->cap;
	struct notification *notification = cap_object(cap);

	if (thread->notification || cap->type != CAP_NOTIFICATION || !(cap->rights & RIGHT_READ) ||
		notification->head || notification->bound)
		return ERROR_ILLEGAL_OPERATION;

	notification->bound = thread;
	thread->notification = notification;
	return ERROR_NONE;
}

enum error tcb_unbind_notification(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);

	if (!thread->notification) return ERROR_ILLEGAL_OPERATION;
	notification_unbind(thread->notification);
	return ERROR_NONE;
}

enum error tcb_set_tls_base(struct invocation *invocation) {
	thread_write_register(
		invocation_object(invocation), REGISTER_FS_BASE, invocation_word(invocation, 0));
	return ERROR_NONE;
}

enum error tcb_set_flags(struct invocation *invocation) {
	struct thread *thread = invocation_object(invocation);
	uint64_t clear = invocation_word(invocation, 0), set = invocation_word(invocation, 1);

	thread->flags = (uint8_t)((thread->flags & ~clear) | (set & THREAD_FLAG_FPU_DISABLED));
	thread->fpu_used = thread_fpu_at_start(thread);
	if (thread == thread->cpu->current) core_request(thread->cpu);
	return invocation_return(invocation, thread->flags);
}

// A checked capability waiting to be put into a slot of the thread.
struct install {
	enum thread_slot index;
	struct cap cap; // null: the slot is only emptied
	struct slot *source; // where the capability comes from
	uint64_t address; // THREAD_BUFFER: where user code sees it
};

static struct install install_of(
	const struct invocation *invocation, unsigned number, enum thread_slot slot) {
	return (struct install){slot, invocation->caps[number]->cap, invocation->caps[number], 0};
}

// Null, or an endpoint with Write and Grant or GrantReply.
static bool may_handle_faults(const struct cap *cap) {
	return cap->type == CAP_NULL || cap_head_may_call(cap->head);
}

static bool same_capability(const struct cap *one, const struct cap *other) {
	return one->type == other->type && one->object == other->object;
}

// Replaces capabilities in slots of the target. Deleting an old one may be preempted, and may have
// deleted the source or the target: then the slot stays empty.
static enum error install(
	struct invocation *invocation, const struct install *list, unsigned count) {
	const struct cap target = invocation->slot->cap;

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = &cap_thread(&target)->slots[list[i].index];
		enum error error = slot_delete(slot);

		if (error) return error;
		if (!same_capability(&target, &invocation->slot->cap)) return ERROR_NONE;
		if (list[i].index == THREAD_BUFFER)
			cap_thread(&target)->buffer_address = list[i].address;
		if (list[i].cap.type != CAP_NULL &&
			same_capability(&list[i].cap, &list[i].source->cap))
			thread_fill_slot(slot, list[i].cap, list[i].source);
	}
	return ERROR_NONE;
}

// Capability space root, with the guard in data unless that is 0.
static enum error decode_cspace(struct install *what, uint64_t data) {
	enum error error = object_derive(what->source, &what->cap);

	if (error) return error;
	if (what->cap.type != CAP_CNODE) return ERROR_ILLEGAL_OPERATION;
	return !data || cap_set_guard(&what->cap, data) ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

// A root with an ASID can be copied.
static enum error decode_space(const struct install *what, enum space_format format) {
	return space_is_assigned(&what->cap, format) ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

// IPC buffer frame at a user address; address 0 removes the buffer.
static enum error decode_buffer(struct install *what, uint64_t address) {
	enum error error;

	what->address = address;
	if (!address) {
		what->cap = (struct cap){};
		return ERROR_NONE;
	}
	error = object_derive(what->source, &what->cap);
	if (error) return error;
	if (what->cap.type != CAP_FRAME || what->cap.device) return ERROR_ILLEGAL_OPERATION;
	return address % (1ul << IPC_BUFFER_BITS) ? ERROR_ALIGNMENT : ERROR_NONE;
}

// Both roots; one that is being deleted step by step may not be replaced meanwhile.
static enum error decode_roots(
	const struct invocation *invocation, struct install *cspace, struct install *space) {
	const struct thread *thread = invocation_object(invocation);
	enum error error;

	if (thread->slots[THREAD_CSPACE].cap.type == CAP_ZOMBIE ||
		thread->slots[THREAD_SPACE].cap.type == CAP_ZOMBIE)
		return ERROR_ILLEGAL_OPERATION;
	error = decode_cspace(cspace, invocation_word(invocation, 0));
	return error ? error : decode_space(space, SPACE_HOST);
}

enum error tcb_configure(struct invocation *invocation) {
	struct install list[] = {install_of(invocation, 0, THREAD_CSPACE),
		install_of(invocation, 1, THREAD_SPACE), install_of(invocation, 2, THREAD_BUFFER)};
	enum error error = decode_buffer(&list[2], invocation_word(invocation, 2));

	if (!error) error = decode_roots(invocation, &list[0], &list[1]);
	return error ? error : install(invocation, list, 3);
}

enum error tcb_set_space(struct invocation *invocation) {
	struct install list[] = {install_of(invocation, 0, THREAD_FAULT_HANDLER),
		install_of(invocation, 1, THREAD_CSPACE), install_of(invocation, 2, THREAD_SPACE)};
	enum error error = decode_roots(invocation, &list[1], &list[2]);

	if (error) return error;
	if (!may_handle_faults(&list[0].cap)) return error_capability(invocation, 1);
	return install(invocation, list, 3);
}

enum error tcb_set_ipc_buffer(struct invocation *invocation) {
	struct install buffer = install_of(invocation, 0, THREAD_BUFFER);
	enum error error = decode_buffer(&buffer, invocation_word(invocation, 0));

	return error ? error : install(invocation, &buffer, 1);
}

enum error tcb_set_timeout_endpoint(struct invocation *invocation) {
	struct install handler = install_of(invocation, 0, THREAD_TIMEOUT_HANDLER);

	if (!may_handle_faults(&handler.cap)) return error_capability(invocation, 1);
	return install(invocation, &handler, 1);
}

enum error tcb_set_ept_root(struct invocation *invocation) {
	struct install root = install_of(invocation, 0, THREAD_GUEST_SPACE);
	enum error error = decode_space(&root, SPACE_GUEST);

	return error ? error : install(invocation, &root, 1);
}

// The scheduling context argument of SetSchedParams: checks 5 to 9 of its table.
static enum error check_context(struct invocation *invocation, const struct cap *cap) {
	struct thread *thread = invocation_object(invocation);
	const struct sched_context *context = cap_object(cap);

	if (cap->type == CAP_NULL)
		return thread == invocation->caller ? ERROR_ILLEGAL_OPERATION : ERROR_NONE;
	if (cap->type != CAP_SCHED_CONTEXT) return error_capability(invocation, 2);
	if (context == thread->sched_context) return ERROR_NONE;
	return sched_context_can_bind(context, thread) ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

enum error tcb_set_sched_params(struct invocation *invocation) {
	struct install handler = install_of(invocation, 2, THREAD_FAULT_HANDLER);
	const struct cap cap = invocation->caps[1]->cap;
	struct thread *thread = invocation_object(invocation);
	enum error error = check_priority(invocation, 0);

	if (!error) error = check_priority(invocation, 1);
	if (!error) error = check_context(invocation, &cap);
	if (error) return error;
	if (!may_handle_faults(&handler.cap)) return error_capability(invocation, 3);

	error = install(invocation, &handler, 1);
	if (error) return error;
	thread->max_priority = (uint8_t)invocation_word(invocation, 0);
	thread_set_priority(thread, (unsigned)invocation_word(invocation, 1));
	if (cap.type == CAP_NULL && thread->sched_context)
		sched_context_unbind_thread(thread->sched_context);
	else if (cap.type != CAP_NULL && cap_object(&cap) != thread->sched_context)
		sched_context_bind_thread(cap_object(&cap), thread);
	return ERROR_NONE;
}
