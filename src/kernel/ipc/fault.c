// SPDX-License-Identifier: BSD-2-Clause
// Sending of fault messages, and the effect of replies.
#include <ipc/fault.h>

#include <cpu/console.h>
#include <ipc/endpoint.h>
#include <sched/guest_hooks.h>
#include <sched/schedule.h>

bool fault_handler_is_valid(const struct cap *cap) {
	if (cap->type == CAP_NULL) return true;
	return cap->type == CAP_ENDPOINT && cap->rights & RIGHT_WRITE &&
		cap->rights & (RIGHT_GRANT | RIGHT_GRANT_REPLY);
}

void fault_raise(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_FAULT_HANDLER].cap;

	if (likely(handler->type == CAP_ENDPOINT)) {
		endpoint_send(handler, thread, MESSAGE_CALL | MESSAGE_DONATE, SEND_BLOCKING);
		return;
	}
	trace("'%s' faults without handler: kind %u ip %lx words %lx %lx\n", thread->name,
		thread->fault_kind, thread_read_register(thread, REGISTER_RIP),
		thread->fault.words[0], thread->fault.words[1]);
	thread->state = THREAD_INACTIVE;
	thread->fault_kind = FAULT_NONE;
}

void fault_capability(
	struct thread *thread, uint64_t address, unsigned in_receive, const struct lookup *lookup) {
	struct fault *fault = &thread->fault;

	thread->fault_kind = FAULT_CAP;
	fault->words[0] = address;
	fault->words[1] = in_receive;
	fault->length = 2 + lookup_failure_words(lookup, fault->words + 2);
	fault_raise(thread);
}

void fault_unknown_syscall(struct thread *thread, uint64_t number) {
	thread->fault_kind = FAULT_UNKNOWN_SYSCALL;
	thread->fault.words[0] = number;
	thread->fault.length = 1;
	fault_raise(thread);
}

bool fault_timeout(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_TIMEOUT_HANDLER].cap;

	if (handler->type != CAP_ENDPOINT) return false;
	if (thread->state == THREAD_IN_GUEST) guest_hooks.pause(thread);
	thread->fault_kind = FAULT_TIMEOUT;
	thread->fault.words[0] = thread->sched_context->badge;
	thread->fault.length = 1;
	schedule_dequeue(thread);
	endpoint_send(handler, thread, MESSAGE_CALL, SEND_BLOCKING);
	return true;
}

// The register in word i of a message, or of its reply. UnknownSyscall has instruction pointer,
// stack pointer and flags last (FAULT-10), the others the order of ReadRegisters.
static unsigned register_of(unsigned kind, unsigned i) {
	return kind == FAULT_UNKNOWN_SYSCALL ? (i + 3) % FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH : i;
}

// The message of the rare kinds, word by word.
[[gnu::noinline]] static uint64_t write_words(struct thread *sender, struct thread *receiver) {
	const struct fault *fault = &sender->fault;
	uint64_t words[FAULT_UNKNOWN_SYSCALL_LENGTH];
	unsigned kind = sender->fault_kind;
	unsigned registers = kind == FAULT_UNKNOWN_SYSCALL ? FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH
							   : kind == FAULT_CAP;
	unsigned length = 0;

	while (length < registers) {
		words[length] = thread_read_register(sender, register_of(kind, length));
		length++;
	}
	for (unsigned i = 0; i < fault->length; i++)
		words[length++] = fault->words[i];
	if (kind == FAULT_TIMEOUT && sender->sched_context)
		words[length++] = sched_context_take_consumed(sender->sched_context);
	return tag_make(kind, 0, 0, message_write(receiver, words, length));
}

// The two frequent kinds come from exceptions, so the frame is whole.
uint64_t fault_write_message(struct thread *sender, struct thread *receiver) {
	const uint64_t *words = sender->fault.words;
	struct context *to = &receiver->context;

	if (sender->fault_kind != FAULT_VM && sender->fault_kind != FAULT_USER_EXCEPTION)
		return write_words(sender, receiver);
	assert(sender->context.rflags & CONTEXT_WHOLE);
	to->r10 = sender->trap.fault_ip;
	if (sender->fault_kind == FAULT_VM) {
		to->r8 = words[0];
		to->r9 = words[1];
		to->r15 = words[2];
		return tag_make(FAULT_VM, 0, 0, 4);
	}
	to->r8 = sender->context.rsp;
	to->r9 = sender->context.rflags & ~CONTEXT_WHOLE;
	to->r15 = words[0];
	if (!receiver->buffer_to_write) return tag_make(FAULT_USER_EXCEPTION, 0, 0, 4);
	receiver->buffer_to_write->message[4] = words[1];
	return tag_make(FAULT_USER_EXCEPTION, 0, 0, 5);
}

// Registers that the reply may write, by kind.
static const uint8_t reply_registers[] = {
	[FAULT_UNKNOWN_SYSCALL] = FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH,
	[FAULT_USER_EXCEPTION] = FAULT_USER_EXCEPTION_REPLY_LENGTH,
	[FAULT_TIMEOUT] = FAULT_TIMEOUT_REPLY_LENGTH,
	[FAULT_VM] = 0};

bool fault_reply_restarts(const struct thread *faulter, uint64_t tag) {
	return reply_registers[faulter->fault_kind] == 0 || tag_label(tag) == 0;
}

void fault_take_reply(struct thread *faulter, const struct thread *handler) {
	const struct ipc_buffer *buffer = handler->buffer_to_read;
	const struct context *from = &handler->context;
	unsigned kind = faulter->fault_kind;
	unsigned length = tag_length(from->rsi);

	if (length > reply_registers[kind]) length = reply_registers[kind];
	for (unsigned i = 0; i < length && (i < MESSAGE_REGISTERS || buffer); i++)
		thread_write_register(faulter, register_of(kind, i),
			i < MESSAGE_REGISTERS ? from->words[i] : buffer->message[i]);
	faulter->fault_kind = FAULT_NONE;
}
