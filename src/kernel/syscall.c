// SPDX-License-Identifier: BSD-2-Clause
// System calls: a send phase, a receive phase, or both.
#include <kernel/syscall.h>

#include <abi/syscall.h>
#include <base/compiler.h>
#include <cpu/percpu.h>
#include <kernel/debug.h>
#include <kernel/fault.h>
#include <kernel/guest_hooks.h>
#include <kernel/invocation.h>
#include <kernel/message.h>
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
static void answer(struct invocation *invocation, enum error error) {
	struct thread *caller = invocation->caller;
	struct ipc_buffer *buffer = thread_buffer_to_write(caller);
	unsigned length = invocation->result_length;

	if (length > MESSAGE_REGISTERS && !buffer) length = MESSAGE_REGISTERS;
	for (unsigned i = 0; i < length && i < MESSAGE_REGISTERS; i++)
		*thread_message_register(caller, i) = invocation->results[i];
	for (unsigned i = MESSAGE_REGISTERS; i < length; i++)
		buffer->message[i] = invocation->results[i];
	*context_badge(&caller->context) = 0;
	*context_tag(&caller->context) = tag_make(error, 0, 0, length);
}

static void send_to_endpoint(struct thread *sender, const struct cap *cap, enum send_kind kind) {
	static const uint8_t flags[] = {
		[KIND_CALL] = MESSAGE_CALL | MESSAGE_DONATE,
		[KIND_FIRST] = MESSAGE_DONATE,
	};
	const struct send send = {
		.badge = cap->badge,
		.flags = (uint8_t)(flags[kind] | message_flags_of(cap)),
		.block = lookups_may_fault(kind) ? SEND_BLOCKING : SEND_NONBLOCKING,
	};

	endpoint_send(cap_object(cap), sender, &send);
}

// Kernel objects the first phase of a combined call refuses (invocations.md 1).
static bool first_phase_refuses(const struct cap *cap) {
	return cap->type == CAP_THREAD || cap->type == CAP_CNODE || cap->type == CAP_DOMAIN ||
		cap->type == CAP_SCHED_CONTROL || cap->type == CAP_SCHED_CONTEXT;
}

static enum error invoke_object(struct invocation *invocation, enum send_kind kind) {
	const struct cap *cap = &invocation->slot->cap;
	struct thread *caller = invocation->caller;
	const char *name = object_ops[cap->type].name;
	enum error error;

	if (kind == KIND_FIRST && first_phase_refuses(cap)) return ERROR_NO_REPLY;
	caller->message_flags = kind == KIND_CALL ? MESSAGE_CALL : 0;
	error = invocation_dispatch(invocation);
	if (error == ERROR_PREEMPTED && caller->state == THREAD_RUNNING)
		caller->state = THREAD_RESTART;
	if (error != ERROR_NONE && error < ERROR_PREEMPTED)
		trace("'%s': error %d of %s, label %lu\n", caller->name, error, name,
			invocation->label);
	return error;
}

static void invoke(struct invocation *invocation, enum send_kind kind) {
	const struct cap *cap = &invocation->slot->cap;
	bool is_message = cap->type == CAP_ENDPOINT || cap->type == CAP_NOTIFICATION;
	enum error error = ERROR_NONE;

	if (is_message && !(cap->rights & RIGHT_WRITE)) {
		error = error_capability(invocation, 0);
	} else if (cap->type == CAP_ENDPOINT) {
		send_to_endpoint(invocation->caller, cap, kind);
		return;
	} else if (cap->type == CAP_NOTIFICATION) {
		notification_signal(cap_object(cap), cap->badge);
	} else if (cap->type == CAP_REPLY) {
		reply_send(cap_object(cap), invocation->caller, cap->rights & RIGHT_GRANT);
	} else {
		error = invoke_object(invocation, kind);
	}
	if (kind == KIND_CALL && error < ERROR_PREEMPTED) answer(invocation, error);
}

// Looks a capability of the send phase up; a failure is a fault where the call may fault.
static struct slot *send_lookup(struct thread *thread, uint64_t address, enum send_kind kind) {
	struct lookup_failure failure;
	struct slot *slot = thread_lookup(thread, address, &failure).slot;

	if (!slot && lookups_may_fault(kind)) fault_capability(thread, address, 0, &failure);
	return slot;
}

// The send phase: acts on the capability at address with the message in the frame.
static void send_phase(struct thread *thread, uint64_t address, enum send_kind kind) {
	struct context *context = &thread->context;
	uint64_t tag = *context_tag(context);
	const uint64_t registers[MESSAGE_REGISTERS] = {
		context->r10, context->r8, context->r9, context->r15};
	struct invocation invocation;

	invocation.slot = send_lookup(thread, address, kind);
	if (!invocation.slot) return;
	invocation.caller = thread;
	invocation.buffer = thread_buffer_to_read(thread);
	invocation.registers = registers;
	invocation.label = tag_label(tag);
	invocation.length = tag_length(tag);
	invocation.cap_count = 0;
	invocation.result_length = 0;
	if (!invocation.buffer) {
		if (invocation.length > MESSAGE_REGISTERS) invocation.length = MESSAGE_REGISTERS;
	} else {
		for (unsigned i = 0; i < tag_caps(tag); i++) {
			invocation.caps[i] = send_lookup(
				thread, invocation.buffer->caps_or_badges[i], kind);
			if (!invocation.caps[i]) return;
			invocation.cap_count++;
		}
	}
	invoke(&invocation, kind);
}

enum receive_kind {
	RECEIVE_WITH_REPLY,
	RECEIVE_PLAIN,
};

// The capability at address is not what a receive needs.
static void receive_fault(struct thread *thread, uint64_t address) {
	fault_capability(
		thread, address, 1, &(struct lookup_failure){.kind = LOOKUP_MISSING_CAPABILITY});
}

static void receive_on_endpoint(struct thread *thread, const struct cap *cap,
	enum receive_kind kind, enum send_block block) {
	struct reply *reply = NULL;

	if (kind == RECEIVE_WITH_REPLY) {
		uint64_t address = thread->context.r12;
		struct lookup_failure failure;
		struct slot *slot = thread_lookup(thread, address, &failure).slot;

		if (!slot) {
			fault_capability(thread, address, 1, &failure);
			return;
		}
		if (slot->cap.type != CAP_REPLY) {
			receive_fault(thread, address);
			return;
		}
		reply = cap_object(&slot->cap);
	}
	endpoint_receive(cap_object(cap), thread, reply, block);
}

static void receive_phase(struct thread *thread, enum receive_kind kind, enum send_block block) {
	uint64_t address = thread->context.rdi;
	struct lookup_failure failure;
	struct slot *slot = thread_lookup(thread, address, &failure).slot;
	const struct notification *notification;

	if (!slot) {
		fault_capability(thread, address, 1, &failure);
		return;
	}
	if (!(slot->cap.rights & RIGHT_READ)) {
		receive_fault(thread, address);
	} else if (slot->cap.type == CAP_ENDPOINT) {
		receive_on_endpoint(thread, &slot->cap, kind, block);
	} else if (slot->cap.type == CAP_NOTIFICATION) {
		notification = cap_object(&slot->cap);
		if (notification->bound && notification->bound != thread)
			receive_fault(thread, address);
		else
			notification_wait(cap_object(&slot->cap), thread, block);
	} else {
		receive_fault(thread, address);
	}
}

// One row a system call: an optional send phase, then an optional receive phase. Yield has neither.
struct syscall_row {
	uint16_t send_to; // offset in struct context of the register that names the target; 0: none
	uint8_t kind; // enum send_kind
	uint8_t receives;
	uint8_t receive; // enum receive_kind
	uint8_t block; // enum send_block of the receive phase
};

#define SEND(register, kind) offsetof(struct context, register), kind
#define NO_SEND 0, 0
#define RECEIVE(kind, block) true, kind, block

// Indexed by the negated number.
static const struct syscall_row syscalls[] = {
	[-SYSCALL_CALL] = {SEND(rdi, KIND_CALL)},
	[-SYSCALL_REPLY_RECV] = {SEND(r12, KIND_FIRST), RECEIVE(RECEIVE_WITH_REPLY, SEND_BLOCKING)},
	[-SYSCALL_NB_SEND_RECV] = {SEND(r13, KIND_FIRST),
		RECEIVE(RECEIVE_WITH_REPLY, SEND_BLOCKING)},
	[-SYSCALL_NB_SEND_WAIT] = {SEND(r12, KIND_FIRST), RECEIVE(RECEIVE_PLAIN, SEND_BLOCKING)},
	[-SYSCALL_SEND] = {SEND(rdi, KIND_SEND)},
	[-SYSCALL_NB_SEND] = {SEND(rdi, KIND_NB_SEND)},
	[-SYSCALL_RECV] = {NO_SEND, RECEIVE(RECEIVE_WITH_REPLY, SEND_BLOCKING)},
	[-SYSCALL_NB_RECV] = {NO_SEND, RECEIVE(RECEIVE_WITH_REPLY, SEND_NONBLOCKING)},
	[-SYSCALL_WAIT] = {NO_SEND, RECEIVE(RECEIVE_PLAIN, SEND_BLOCKING)},
	[-SYSCALL_NB_WAIT] = {NO_SEND, RECEIVE(RECEIVE_PLAIN, SEND_NONBLOCKING)},
	[-SYSCALL_YIELD] = {},
};

_Static_assert(offsetof(struct context, rdi) && offsetof(struct context, r12));

static void carry_out(struct thread *thread, const struct syscall_row *row) {
	const char *context = (const char *)&thread->context;

	if (!row->send_to && !row->receives) schedule_yield();
	if (row->send_to)
		send_phase(thread, *(const uint64_t *)(context + row->send_to), row->kind);
	// A first phase that was preempted or ended the thread leaves nothing to receive.
	if (row->receives && thread->state == THREAD_RUNNING)
		receive_phase(thread, row->receive, row->block);
}

void syscall_handle(uint64_t number) {
	struct thread *thread = this_cpu()->current;
	uint64_t index = -number;

	schedule_update_time();
	if (likely(index - 1 < array_count(syscalls) - 1)) {
		if (schedule_check_budget()) carry_out(thread, &syscalls[index]);
	} else if (index == -SYSCALL_VM_ENTER) {
		guest_hooks.enter(thread);
	} else if (!debug_syscall(thread, index)) {
		fault_unknown_syscall(thread, number);
	}
}
