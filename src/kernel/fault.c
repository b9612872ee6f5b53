// SPDX-License-Identifier: BSD-2-Clause
// Fault messages out, fault replies in.
#include <kernel/fault.h>

#include <base/compiler.h>
#include <kernel/endpoint.h>
#include <kernel/message.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/trace.h>

bool fault_handler_is_valid(const struct cap *cap) {
	if (cap->type == CAP_NULL) return true;
	return cap->type == CAP_ENDPOINT && cap->rights & RIGHT_WRITE &&
		cap->rights & (RIGHT_GRANT | RIGHT_GRANT_REPLY);
}

static void send_to(struct thread *thread, const struct cap *handler, unsigned flags) {
	endpoint_send(cap_object(handler), thread,
		&(struct send){.badge = handler->badge,
			.flags = (uint8_t)(message_flags_of(handler) | flags),
			.block = SEND_BLOCKING});
}

// Tells the thread's fault handler, or makes the thread inactive.
static void raise(struct thread *thread, const struct fault *fault) {
	const struct cap *handler = &thread->slots[THREAD_FAULT_HANDLER].cap;

	thread->fault = *fault;
	if (handler->type == CAP_ENDPOINT) {
		send_to(thread, handler, MESSAGE_CALL | MESSAGE_DONATE);
		return;
	}
	trace("'%s' faults without handler: kind %u ip %lx words %lx %lx\n", thread->name,
		thread->fault.kind, thread->context.fault_ip, thread->fault.words[0],
		thread->fault.words[1]);
	thread->state = THREAD_INACTIVE;
	thread->fault.kind = FAULT_NONE;
}

void fault_capability(struct thread *thread, uint64_t address, unsigned in_receive,
	const struct lookup_failure *failure) {
	raise(thread,
		&(struct fault){.kind = FAULT_CAP,
			.in_receive = in_receive,
			.words = {address},
			.lookup = *failure});
}

void fault_unknown_syscall(struct thread *thread, uint64_t number) {
	raise(thread, &(struct fault){.kind = FAULT_UNKNOWN_SYSCALL, .words = {number}});
}

void fault_user_exception(struct thread *thread, uint64_t vector, uint64_t code) {
	raise(thread, &(struct fault){.kind = FAULT_USER_EXCEPTION, .words = {vector, code}});
}

void fault_vm(struct thread *thread, uint64_t address, uint64_t code) {
	raise(thread, &(struct fault){.kind = FAULT_VM, .words = {address, code}});
}

bool fault_timeout(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_TIMEOUT_HANDLER].cap;

	if (handler->type != CAP_ENDPOINT) return false;
	thread->fault = (struct fault){
		.kind = FAULT_TIMEOUT, .words = {thread->sched_context->badge}};
	schedule_dequeue(thread);
	send_to(thread, handler, MESSAGE_CALL);
	return true;
}

// Words of an UnknownSyscall message (faults.md 5); the number follows.
static const uint16_t syscall_offsets[FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH] = {
	offsetof(struct context, rax),
	offsetof(struct context, rbx),
	offsetof(struct context, rcx),
	offsetof(struct context, rdx),
	offsetof(struct context, rsi),
	offsetof(struct context, rdi),
	offsetof(struct context, rbp),
	offsetof(struct context, r8),
	offsetof(struct context, r9),
	offsetof(struct context, r10),
	offsetof(struct context, r11),
	offsetof(struct context, r12),
	offsetof(struct context, r13),
	offsetof(struct context, r14),
	offsetof(struct context, r15),
	offsetof(struct context, fault_ip),
	offsetof(struct context, rsp),
	offsetof(struct context, rflags),
};

// Words of a UserException message (faults.md 6); vector and code follow.
static const uint16_t exception_offsets[FAULT_USER_EXCEPTION_REPLY_LENGTH] = {
	offsetof(struct context, fault_ip),
	offsetof(struct context, rsp),
	offsetof(struct context, rflags),
};

static uint64_t *context_word(struct thread *thread, uint16_t offset) {
	return (uint64_t *)((char *)&thread->context + offset);
}

// A message under construction: registers first, then the receiver's buffer if it has one.
struct writer {
	struct thread *receiver;
	struct ipc_buffer *buffer;
	unsigned length;
};

static void put(struct writer *writer, uint64_t value) {
	if (writer->length < MESSAGE_REGISTERS)
		*thread_message_register(writer->receiver, writer->length++) = value;
	else if (writer->buffer)
		writer->buffer->message[writer->length++] = value;
}

static void put_lookup_failure(struct writer *writer, const struct lookup_failure *failure) {
	put(writer, failure->kind);
	if (failure->kind != LOOKUP_INVALID_ROOT) put(writer, failure->bits_left);
	if (failure->kind == LOOKUP_DEPTH_MISMATCH) put(writer, failure->bits_found);
	if (failure->kind == LOOKUP_GUARD_MISMATCH) {
		put(writer, failure->guard);
		put(writer, failure->guard_size);
	}
}

static void put_capability(struct writer *writer, struct thread *sender) {
	put(writer, sender->context.fault_ip);
	put(writer, sender->fault.words[0]);
	put(writer, sender->fault.in_receive);
	put_lookup_failure(writer, &sender->fault.lookup);
}

static void put_syscall(struct writer *writer, struct thread *sender) {
	for (unsigned i = 0; i < array_count(syscall_offsets); i++)
		put(writer, *context_word(sender, syscall_offsets[i]));
	put(writer, sender->fault.words[0]);
}

static void put_exception(struct writer *writer, struct thread *sender) {
	for (unsigned i = 0; i < array_count(exception_offsets); i++)
		put(writer, *context_word(sender, exception_offsets[i]));
	put(writer, sender->fault.words[0]);
	put(writer, sender->fault.words[1]);
}

static void put_vm(struct writer *writer, struct thread *sender) {
	uint64_t code = sender->fault.words[1];

	put(writer, sender->context.fault_ip);
	put(writer, sender->fault.words[0]);
	put(writer, code >> 4 & 1); // bit 4: instruction fetch (SDM 3A 4.7)
	put(writer, code & 0x1f);
}

static void put_timeout(struct writer *writer, struct thread *sender) {
	put(writer, sender->fault.words[0]);
	if (sender->sched_context) put(writer, sched_context_take_consumed(sender->sched_context));
}

uint64_t fault_write_message(struct thread *sender, struct thread *receiver) {
	static void (*const put_fault[])(struct writer *, struct thread *) = {
		[FAULT_CAP] = put_capability,
		[FAULT_UNKNOWN_SYSCALL] = put_syscall,
		[FAULT_USER_EXCEPTION] = put_exception,
		[FAULT_TIMEOUT] = put_timeout,
		[FAULT_VM] = put_vm,
	};
	struct writer writer = {
		.receiver = receiver,
		.buffer = thread_buffer_to_write(receiver),
	};

	put_fault[sender->fault.kind](&writer, sender);
	return tag_make(sender->fault.kind, 0, 0, writer.length);
}

// Word i of the handler's reply; i is below the words it really has.
static uint64_t reply_word(struct thread *handler, unsigned i) {
	if (i < MESSAGE_REGISTERS) return *thread_message_register(handler, i);
	return thread_buffer_to_read(handler)->message[i];
}

static void take_word(struct thread *faulter, uint16_t offset, uint64_t value) {
	if (offset == offsetof(struct context, fault_ip))
		value = context_clean_address(value);
	else if (offset == offsetof(struct context, rflags))
		value = context_clean_rflags(value);
	*context_word(faulter, offset) = value;
	faulter->context.how = CONTEXT_IRET;
}

static void take_words(struct thread *faulter, struct thread *handler, unsigned length) {
	unsigned kind = faulter->fault.kind;
	unsigned limit = kind == FAULT_UNKNOWN_SYSCALL ? FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH
		: kind == FAULT_TIMEOUT                ? FAULT_TIMEOUT_REPLY_LENGTH
						       : FAULT_USER_EXCEPTION_REPLY_LENGTH;

	for (unsigned i = 0; i < length && i < limit; i++) {
		uint64_t value = reply_word(handler, i);

		if (kind == FAULT_UNKNOWN_SYSCALL)
			take_word(faulter, syscall_offsets[i], value);
		else if (kind == FAULT_USER_EXCEPTION)
			take_word(faulter, exception_offsets[i], value);
		else
			thread_write_register(faulter, i, value);
	}
}

bool fault_take_reply(struct thread *faulter, struct thread *handler) {
	uint64_t tag = *context_tag(&handler->context);
	unsigned length = tag_length(tag);

	if (faulter->fault.kind == FAULT_CAP || faulter->fault.kind == FAULT_VM) return true;
	if (length > MESSAGE_REGISTERS && !thread_buffer_to_read(handler))
		length = MESSAGE_REGISTERS;
	take_words(faulter, handler, length);
	return tag_label(tag) == 0;
}
