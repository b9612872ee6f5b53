// SPDX-License-Identifier: BSD-2-Clause
// System calls: a send phase, a receive phase, or both.
#include <kernel/syscall.h>

#include <abi/syscall.h>
#include <base/compiler.h>
#include <kernel/fault.h>
#include <kernel/guest_hooks.h>
#include <kernel/invocation.h>
#include <kernel/notification.h>
#include <kernel/object.h>
#include <kernel/reply.h>
#include <kernel/schedule.h>
#include <kernel/trace.h>

// How the send phase of a system call behaves.
enum send_kind {
	KIND_CALL, // blocks, waits for an answer, errors are told
	KIND_SEND, // blocks, errors vanish
	KIND_NB_SEND, // does not block
	KIND_FIRST, // first phase of a combined call: does not block, donates, failures vanish
};

static bool lookups_may_fault(enum send_kind kind) {
	return kind == KIND_CALL || kind == KIND_SEND;
}

// Writes the answer of a kernel object to a Call: error or success, with its words.
static void answer(struct thread *caller, struct invocation *invocation, enum error error) {
	unsigned length = message_write(caller, invocation->results, invocation->result_length);

	*context_badge(&caller->context) = 0;
	*context_tag(&caller->context) = tag_make(error, 0, 0, length);
}

// Kernel objects the first phase of a combined call refuses (invocations.md 1).
static bool first_phase_refuses(const struct cap *cap) {
	return cap->type == CAP_THREAD || cap->type == CAP_CNODE || cap->type == CAP_DOMAIN ||
		cap->type == CAP_SCHED_CONTROL || cap->type == CAP_SCHED_CONTEXT;
}

// Looks a capability of the send phase up; a failure is a fault where the call may fault.
static struct slot *send_lookup(struct thread *thread, uint64_t address, enum send_kind kind) {
	struct slot *slot = thread_window_slot(thread, address);
	struct lookup lookup;

	if (likely(slot)) return slot;
	lookup = thread_lookup(thread, address);
	if (!lookup.slot && lookups_may_fault(kind)) fault_capability(thread, address, 0, &lookup);
	return lookup.slot;
}

// Extra capabilities of the message. False: one was missing, and the send phase is over.
static bool send_lookup_caps(struct thread *thread, enum send_kind kind, struct slot **caps) {
	unsigned count = tag_caps(*context_tag(&thread->context));

	for (unsigned i = 0; i < count; i++) {
		caps[i] = send_lookup(thread, thread->buffer_to_read->caps_or_badges[i], kind);
		if (!caps[i]) return false;
	}
	return true;
}

static enum error invoke_object(struct thread *caller, struct invocation *invocation) {
	const char *name = object_ops[invocation->slot->cap.type].name; // the capability may go
	struct context *context = &caller->context;
	uint64_t tag = *context_tag(context);
	const uint64_t registers[MESSAGE_REGISTERS] = {
		context->r10, context->r8, context->r9, context->r15};
	enum error error;

	invocation->caller = caller;
	invocation->buffer = caller->buffer_to_read;
	invocation->registers = registers;
	invocation->label = tag_label(tag);
	invocation->length = tag_length(tag);
	if (!invocation->buffer && invocation->length > MESSAGE_REGISTERS)
		invocation->length = MESSAGE_REGISTERS;
	error = invocation_dispatch(invocation);
	if (error == ERROR_PREEMPTED && caller->state == THREAD_RUNNING)
		caller->state = THREAD_RESTART;
	if (error != ERROR_NONE && error < ERROR_PREEMPTED)
		trace("'%s': error %d of %s, label %lu\n", caller->name, error, name,
			invocation->label);
	return error;
}

static void send_to_object(
	struct invocation *invocation, struct thread *thread, enum send_kind kind) {
	const struct cap *cap = &invocation->slot->cap;
	enum error error = ERROR_NONE;

	if (cap->type == CAP_REPLY) {
		reply_send(cap_object(cap), thread, cap->rights & RIGHT_GRANT ? MESSAGE_GRANT : 0);
	} else if (cap_has_badge(cap)) { // without Write
		error = error_capability(invocation, 0);
	} else {
		if (kind == KIND_FIRST && first_phase_refuses(cap)) return;
		thread->message_flags = kind == KIND_CALL ? MESSAGE_CALL : 0;
		error = invoke_object(thread, invocation);
	}
	if (kind == KIND_CALL && error < ERROR_PREEMPTED) answer(thread, invocation, error);
}

// The send phase: acts on the capability at address with the message in the frame.
[[gnu::noinline]] static void send_phase(
	struct thread *thread, uint64_t address, enum send_kind kind) {
	static const uint8_t flags[] = {
		[KIND_CALL] = MESSAGE_CALL | MESSAGE_DONATE, [KIND_FIRST] = MESSAGE_DONATE};
	struct invocation invocation;
	const struct cap *cap;

	invocation.slot = send_lookup(thread, address, kind);
	if (!invocation.slot) return;
	invocation.cap_count = 0;
	invocation.result_length = 0;
	if (unlikely(tag_caps(*context_tag(&thread->context))) && thread->buffer_to_read) {
		if (!send_lookup_caps(thread, kind, invocation.caps)) return;
		invocation.cap_count = tag_caps(*context_tag(&thread->context));
	}
	cap = &invocation.slot->cap;
	if (!cap_has_badge(cap) || !(cap->rights & RIGHT_WRITE)) {
		send_to_object(&invocation, thread, kind);
	} else if (cap->type == CAP_ENDPOINT) {
		endpoint_send(cap, thread, flags[kind],
			lookups_may_fault(kind) ? SEND_BLOCKING : SEND_NONBLOCKING);
	} else {
		notification_signal(cap_object(cap), cap->badge);
		if (kind == KIND_CALL) {
			*context_badge(&thread->context) = 0;
			*context_tag(&thread->context) = tag_make(ERROR_NONE, 0, 0, 0);
		}
	}
}

static bool can_receive(const struct thread *thread, const struct cap *cap) {
	const struct notification *notification = cap_object(cap);

	if (!cap_has_badge(cap) || !(cap->rights & RIGHT_READ)) return false;
	return cap->type == CAP_ENDPOINT || !notification->bound || notification->bound == thread;
}

static bool can_reply(const struct thread *, const struct cap *cap) {
	return cap->type == CAP_REPLY;
}

// The capability at address, which must be usable; otherwise the receive faults, and null.
static const struct cap *receive_lookup(struct thread *thread, uint64_t address,
	bool (*is_usable)(const struct thread *thread, const struct cap *cap)) {
	struct slot *slot = thread_window_slot(thread, address);
	struct lookup lookup;

	if (likely(slot) && is_usable(thread, &slot->cap)) return &slot->cap;
	lookup = thread_lookup(thread, address);
	if (lookup.slot && is_usable(thread, &lookup.slot->cap)) return &lookup.slot->cap;
	if (lookup.slot) lookup = (struct lookup){.failure = LOOKUP_MISSING_CAPABILITY};
	fault_capability(thread, address, 1, &lookup);
	return NULL;
}

// The receive phase, with or without a reply object (null: Wait).
static void receive_phase(
	struct thread *thread, const struct cap *cap, struct reply *reply, enum send_block block) {
	if (cap->type == CAP_NOTIFICATION)
		notification_wait(cap_object(cap), thread, block);
	else
		endpoint_receive(cap_object(cap), thread, reply, block);
}

[[gnu::noinline]] static void wait(struct thread *thread, enum send_block block) {
	const struct cap *cap = receive_lookup(thread, thread->context.rdi, can_receive);

	if (cap) receive_phase(thread, cap, NULL, block);
}

[[gnu::noinline]] static void receive(struct thread *thread, enum send_block block) {
	const struct cap *cap = receive_lookup(thread, thread->context.rdi, can_receive);
	const struct cap *reply = NULL;

	if (!cap) return;
	if (cap->type == CAP_ENDPOINT) {
		reply = receive_lookup(thread, thread->context.r12, can_reply);
		if (!reply) return;
	}
	receive_phase(thread, cap, reply ? cap_object(reply) : NULL, block);
}

// A combined system call: send, then receive. A first phase that was preempted or ended the thread
// leaves nothing to receive.
[[gnu::noinline]] static void send_and(struct thread *thread, uint64_t target,
	void (*then)(struct thread *thread, enum send_block block)) {
	send_phase(thread, target, KIND_FIRST);
	if (thread->state == THREAD_RUNNING) then(thread, SEND_BLOCKING);
}

static void handle_rare(struct thread *thread, uint64_t number) {
	if (number == (uint64_t)SYSCALL_VM_ENTER && thread->vcpu)
		guest_hooks.enter(thread);
	else if (!debug_syscall(thread, -number) && schedule_check_budget())
		fault_unknown_syscall(thread, number);
}

void syscall_handle(void) {
	struct thread *thread = this_cpu()->current;
	const struct context *context = &thread->context;
	uint64_t number = context->rdx;

	if (unlikely(number < (uint64_t)SYSCALL_YIELD)) return handle_rare(thread, number);
	if (unlikely(!schedule_check_budget())) return;
	switch ((int64_t)number) {
	case SYSCALL_CALL: return send_phase(thread, context->rdi, KIND_CALL);
	case SYSCALL_REPLY_RECV: return send_and(thread, context->r12, receive);
	case SYSCALL_NB_SEND_RECV: return send_and(thread, context->r13, receive);
	case SYSCALL_NB_SEND_WAIT: return send_and(thread, context->r12, wait);
	case SYSCALL_SEND: return send_phase(thread, context->rdi, KIND_SEND);
	case SYSCALL_NB_SEND: return send_phase(thread, context->rdi, KIND_NB_SEND);
	case SYSCALL_RECV: return receive(thread, SEND_BLOCKING);
	case SYSCALL_NB_RECV: return receive(thread, SEND_NONBLOCKING);
	case SYSCALL_WAIT: return wait(thread, SEND_BLOCKING);
	case SYSCALL_NB_WAIT: return wait(thread, SEND_NONBLOCKING);
	default: return schedule_yield();
	}
}
