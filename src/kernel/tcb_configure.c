// SPDX-License-Identifier: BSD-2-Clause
// Thread invocations that change what a thread acts with: spaces, IPC buffer, handlers, context.
#include <kernel/cnode.h>
#include <kernel/derive.h>
#include <kernel/fault.h>
#include <kernel/invocation.h>
#include <kernel/object.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/space.h>
#include <kernel/thread.h>

// A checked capability waiting to be put into a slot of the thread.
struct install {
	enum thread_slot index;
	struct cap cap; // null: the slot is only emptied
	struct slot *source; // where the capability comes from
};

static struct thread *target_of(const struct invocation *invocation) {
	return cap_thread(&invocation->slot->cap);
}

static bool same_capability(const struct cap *one, const struct cap *other) {
	return one->type == other->type && one->object == other->object;
}

// Replaces the capability in one slot of the target. Deleting the old one may stop at a preemption
// point, and may have deleted the source or the target: then nothing is put in its place.
static enum error install(struct invocation *invocation, const struct install *what) {
	struct thread *thread = target_of(invocation);
	const struct cap target = invocation->slot->cap;
	struct slot *slot = &thread->slots[what->index];
	enum error error = slot_delete(slot);

	if (error != ERROR_NONE) return error;
	if (what->cap.type != CAP_NULL && same_capability(&what->cap, &what->source->cap) &&
		same_capability(&target, &invocation->slot->cap))
		cap_copy_into(slot, what->cap, what->source);
	return ERROR_NONE;
}

// Capability space root: extra capability number, with the guard in data unless that is 0.
static enum error decode_cspace(
	struct invocation *invocation, unsigned number, uint64_t data, struct install *what) {
	enum error error;

	what->index = THREAD_CSPACE;
	what->source = invocation->caps[number];
	what->cap = what->source->cap;
	if (data && what->cap.type == CAP_CNODE && !cap_set_guard(&what->cap, data))
		return ERROR_ILLEGAL_OPERATION;
	error = object_derive(what->source, &what->cap);
	if (error != ERROR_NONE) return error;
	return what->cap.type == CAP_CNODE ? ERROR_NONE : ERROR_ILLEGAL_OPERATION;
}

static enum error decode_space(
	const struct invocation *invocation, unsigned number, enum space_format format) {
	const struct slot *source = invocation->caps[number];
	struct cap cap = source->cap;

	if (object_derive(source, &cap) != ERROR_NONE || !space_is_assigned(&cap, format))
		return ERROR_ILLEGAL_OPERATION;
	return ERROR_NONE;
}

static struct install install_of(
	struct invocation *invocation, unsigned number, enum thread_slot slot) {
	return (struct install){
		.index = slot,
		.cap = invocation->caps[number]->cap,
		.source = invocation->caps[number],
	};
}

// IPC buffer frame: extra capability number at user address; address 0 removes the buffer.
static enum error decode_buffer(
	struct invocation *invocation, unsigned number, uint64_t address, struct install *what) {
	enum error error;

	*what = install_of(invocation, number, THREAD_BUFFER);
	if (!address) {
		what->cap = cap_null();
		return ERROR_NONE;
	}
	error = object_derive(what->source, &what->cap);
	if (error != ERROR_NONE) return error;
	if (what->cap.type != CAP_FRAME || what->cap.device) return ERROR_ILLEGAL_OPERATION;
	return address % (1ul << IPC_BUFFER_BITS) ? ERROR_ALIGNMENT : ERROR_NONE;
}

// A root that is being deleted step by step may not be replaced meanwhile.
static bool roots_are_dying(const struct thread *thread) {
	return thread->slots[THREAD_CSPACE].cap.type == CAP_ZOMBIE ||
		thread->slots[THREAD_SPACE].cap.type == CAP_ZOMBIE;
}

static enum error install_buffer(
	struct invocation *invocation, const struct install *what, uint64_t address) {
	enum error error = install(invocation, what);

	if (error == ERROR_NONE) target_of(invocation)->buffer_address = address;
	return error;
}

enum error tcb_configure(struct invocation *invocation) {
	uint64_t address = invocation_word(invocation, 2);
	struct install cspace, space, buffer;
	enum error error;

	error = decode_buffer(invocation, 2, address, &buffer);
	if (error != ERROR_NONE) return error;
	if (roots_are_dying(target_of(invocation))) return ERROR_ILLEGAL_OPERATION;
	error = decode_cspace(invocation, 0, invocation_word(invocation, 0), &cspace);
	if (error != ERROR_NONE) return error;
	error = decode_space(invocation, 1, SPACE_HOST);
	if (error != ERROR_NONE) return error;

	space = install_of(invocation, 1, THREAD_SPACE);
	error = install(invocation, &cspace);
	if (error == ERROR_NONE) error = install(invocation, &space);
	if (error == ERROR_NONE) error = install_buffer(invocation, &buffer, address);
	return error;
}

enum error tcb_set_space(struct invocation *invocation) {
	struct install handler = install_of(invocation, 0, THREAD_FAULT_HANDLER);
	struct install cspace, space;
	enum error error;

	if (roots_are_dying(target_of(invocation))) return ERROR_ILLEGAL_OPERATION;
	error = decode_cspace(invocation, 1, invocation_word(invocation, 0), &cspace);
	if (error != ERROR_NONE) return error;
	error = decode_space(invocation, 2, SPACE_HOST);
	if (error != ERROR_NONE) return error;
	if (!fault_handler_is_valid(&handler.cap)) return error_capability(invocation, 1);

	space = install_of(invocation, 2, THREAD_SPACE);
	error = install(invocation, &handler);
	if (error == ERROR_NONE) error = install(invocation, &cspace);
	if (error == ERROR_NONE) error = install(invocation, &space);
	return error;
}

enum error tcb_set_ipc_buffer(struct invocation *invocation) {
	uint64_t address = invocation_word(invocation, 0);
	struct install buffer;
	enum error error = decode_buffer(invocation, 0, address, &buffer);

	return error == ERROR_NONE ? install_buffer(invocation, &buffer, address) : error;
}

enum error tcb_set_timeout_endpoint(struct invocation *invocation) {
	struct install handler = install_of(invocation, 0, THREAD_TIMEOUT_HANDLER);

	if (!fault_handler_is_valid(&handler.cap)) return error_capability(invocation, 1);
	return install(invocation, &handler);
}

enum error tcb_set_ept_root(struct invocation *invocation) {
	struct install root = install_of(invocation, 0, THREAD_GUEST_SPACE);
	enum error error = decode_space(invocation, 0, SPACE_GUEST);

	return error == ERROR_NONE ? install(invocation, &root) : error;
}

// The scheduling context argument of SetSchedParams: checks 5 to 9 of its table.
static enum error check_context(struct invocation *invocation, const struct cap *cap) {
	struct thread *thread = target_of(invocation);
	const struct sched_context *context = cap_object(cap);

	if (cap->type == CAP_NULL)
		return thread == invocation->caller ? ERROR_ILLEGAL_OPERATION : ERROR_NONE;
	if (cap->type != CAP_SCHED_CONTEXT) return error_capability(invocation, 2);
	if (context == thread->sched_context) return ERROR_NONE;
	if (thread->sched_context || context->thread) return ERROR_ILLEGAL_OPERATION;
	if (thread_is_blocked(thread) && !schedule_has_budget(context))
		return ERROR_ILLEGAL_OPERATION;
	return ERROR_NONE;
}

enum error tcb_set_sched_params(struct invocation *invocation) {
	struct install handler = install_of(invocation, 2, THREAD_FAULT_HANDLER);
	const struct cap *authority = &invocation->caps[0]->cap;
	const struct cap cap = invocation->caps[1]->cap;
	struct thread *thread = target_of(invocation);
	enum error error;

	if (authority->type != CAP_THREAD) return error_capability(invocation, 1);
	for (unsigned i = 0; i < 2; i++) {
		if (invocation_word(invocation, i) > cap_thread(authority)->max_priority)
			return error_range(invocation, 0, cap_thread(authority)->max_priority);
	}
	error = check_context(invocation, &cap);
	if (error != ERROR_NONE) return error;
	if (!fault_handler_is_valid(&handler.cap)) return error_capability(invocation, 3);

	error = install(invocation, &handler);
	if (error != ERROR_NONE) return error;
	thread->max_priority = (uint8_t)invocation_word(invocation, 0);
	thread_set_priority(thread, (unsigned)invocation_word(invocation, 1));
	if (cap.type == CAP_NULL && thread->sched_context)
		sched_context_unbind_thread(thread->sched_context);
	else if (cap.type != CAP_NULL && cap_object(&cap) != thread->sched_context)
		sched_context_bind_thread(cap_object(&cap), thread);
	return ERROR_NONE;
}
