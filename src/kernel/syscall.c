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
static void send_phase(struct thread *thread, uint64_t address, enum send_kind kind) {
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

enum receive_kind { RECEIVE_NOTHING, RECEIVE_PLAIN, RECEIVE_WITH_REPLY };

static void receive_phase(struct thread *thread, enum receive_kind kind, enum send_block block) {
	const struct cap *cap = receive_lookup(thread, thread->context.rdi, can_receive);
	struct reply *reply = NULL;

	if (!cap) return;
	if (cap->type == CAP_NOTIFICATION) {
		notification_wait(cap_object(cap), thread, block);
		return;
	}
	if (kind == RECEIVE_WITH_REPLY) {
		const struct cap *found = receive_lookup(thread, thread->context.r12, can_reply);

		if (!found) return;
		reply = cap_object(found);
	}
	endpoint_receive(cap_object(cap), thread, reply, block);
}

// One row a system call: an optional send phase, then an optional receive phase. Yield has neither.
struct syscall_row {
	uint16_t send_to; // offset in struct context of the register that names the target; 0: none
	uint8_t kind; // enum send_kind
	uint8_t receive; // enum receive_kind
	uint8_t block; // enum send_block of the receive phase
};

#define SEND(register, kind) offsetof(struct context, register), kind
#define NO_SEND 0, 0

// Indexed by the negated number.
static const struct syscall_row syscalls[] = {
	[-SYSCALL_CALL] = {SEND(rdi, KIND_CALL)},
	[-SYSCALL_REPLY_RECV] = {SEND(r12, KIND_FIRST), RECEIVE_WITH_REPLY, SEND_BLOCKING},
	[-SYSCALL_NB_SEND_RECV] = {SEND(r13, KIND_FIRST), RECEIVE_WITH_REPLY, SEND_BLOCKING},
	[-SYSCALL_NB_SEND_WAIT] = {SEND(r12, KIND_FIRST), RECEIVE_PLAIN, SEND_BLOCKING},
	[-SYSCALL_SEND] = {SEND(rdi, KIND_SEND)},
	[-SYSCALL_NB_SEND] = {SEND(rdi, KIND_NB_SEND)},
	[-SYSCALL_RECV] = {NO_SEND, RECEIVE_WITH_REPLY, SEND_BLOCKING},
	[-SYSCALL_NB_RECV] = {NO_SEND, RECEIVE_WITH_REPLY, SEND_NONBLOCKING},
	[-SYSCALL_WAIT] = {NO_SEND, RECEIVE_PLAIN, SEND_BLOCKING},
	[-SYSCALL_NB_WAIT] = {NO_SEND, RECEIVE_PLAIN, SEND_NONBLOCKING},
	[-SYSCALL_YIELD] = {},
};

_Static_assert(offsetof(struct context, rdi) && offsetof(struct context, r12));

static void carry_out(struct thread *thread, const struct syscall_row *row) {
	const char *context = (const char *)&thread->context;

	if (!row->send_to && !row->receive) schedule_yield();
	if (row->send_to)
		send_phase(thread, *(const uint64_t *)(context + row->send_to), row->kind);
	// A first phase that was preempted or ended the thread leaves nothing to receive.
	if (row->receive && thread->state == THREAD_RUNNING)
		receive_phase(thread, row->receive, row->block);
}

void syscall_handle(void) {
	struct thread *thread = this_cpu()->current;
	uint64_t number = thread->context.rdx;
	uint64_t index = -number;

	schedule_update_time();
	if (likely(index - 1 < array_count(syscalls) - 1)) {
		if (schedule_check_budget()) carry_out(thread, &syscalls[index]);
	} else if (index == -SYSCALL_VM_ENTER && thread->vcpu) {
		guest_hooks.enter(thread);
	} else if (!debug_syscall(thread, index) && schedule_check_budget()) {
		fault_unknown_syscall(thread, number);
	}
}
