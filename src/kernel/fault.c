// SPDX-License-Identifier: BSD-2-Clause
// Fault messages out, fault replies in.
#include <kernel/fault.h>

#include <base/compiler.h>
#include <kernel/endpoint.h>
#include <kernel/sched_context.h>
#include <kernel/schedule.h>
#include <kernel/trace.h>

bool fault_handler_is_valid(const struct cap *cap) {
	if (cap->type == CAP_NULL) return true;
	return cap->type == CAP_ENDPOINT && cap->rights & RIGHT_WRITE &&
		cap->rights & (RIGHT_GRANT | RIGHT_GRANT_REPLY);
}

// Tells the thread's fault handler, or makes the thread inactive. thread->fault is filled in.
static void raise(struct thread *thread, enum fault_kind kind) {
	const struct cap *handler = &thread->slots[THREAD_FAULT_HANDLER].cap;

	thread->fault_kind = (uint8_t)kind;
	if (likely(handler->type == CAP_ENDPOINT)) {
		endpoint_send(handler, thread, MESSAGE_CALL | MESSAGE_DONATE, SEND_BLOCKING);
		return;
	}
	trace("'%s' faults without handler: kind %u ip %lx words %lx %lx\n", thread->name, kind,
		thread_read_register(thread, REGISTER_RIP), thread->fault.words[0],
		thread->fault.words[1]);
	thread->state = THREAD_INACTIVE;
	thread->fault_kind = FAULT_NONE;
}

void fault_capability(
	struct thread *thread, uint64_t address, unsigned in_receive, const struct lookup *lookup) {
	struct fault *fault = &thread->fault;

	fault->words[0] = address;
	fault->words[1] = in_receive;
	fault->length = 2 + lookup_failure_words(lookup, fault->words + 2);
	raise(thread, FAULT_CAP);
}

void fault_unknown_syscall(struct thread *thread, uint64_t number) {
	thread->fault.words[0] = number;
	thread->fault.length = 1;
	raise(thread, FAULT_UNKNOWN_SYSCALL);
}

void fault_user_exception(struct thread *thread, uint64_t vector, uint64_t code) {
	thread->fault.words[0] = vector;
	thread->fault.words[1] = code;
	thread->fault.length = 2;
	raise(thread, FAULT_USER_EXCEPTION);
}

void fault_vm(struct thread *thread, uint64_t address, uint64_t code) {
	thread->fault.words[0] = address;
	thread->fault.words[1] = code >> 4 & 1; // an instruction fetch (SDM 3A 4.7)
	thread->fault.words[2] = code & 0x1f;
	thread->fault.length = 3;
	raise(thread, FAULT_VM);
}

bool fault_timeout(struct thread *thread) {
	const struct cap *handler = &thread->slots[THREAD_TIMEOUT_HANDLER].cap;

	if (handler->type != CAP_ENDPOINT) return false;
	thread->fault_kind = FAULT_TIMEOUT;
	thread->fault.words[0] = thread->sched_context->badge;
	thread->fault.length = 1;
	schedule_dequeue(thread);
	endpoint_send(handler, thread, MESSAGE_CALL, SEND_BLOCKING);
	return true;
}

// The register in word i of a message, or of its reply. UnknownSyscall has instruction pointer,
// stack pointer and flags last (faults.md 5), the others the order of ReadRegisters.
static unsigned register_of(unsigned kind, unsigned i) {
	return kind == FAULT_UNKNOWN_SYSCALL ? (i + 3) % FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH : i;
}

uint64_t fault_write_message(struct thread *sender, struct thread *receiver) {
	static const uint8_t registers[] = {[FAULT_CAP] = 1,
		[FAULT_UNKNOWN_SYSCALL] = FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH,
		[FAULT_USER_EXCEPTION] = FAULT_USER_EXCEPTION_REPLY_LENGTH,
		[FAULT_VM] = 1};
	const struct fault *fault = &sender->fault;
	uint64_t words[FAULT_UNKNOWN_SYSCALL_LENGTH];
	unsigned kind = sender->fault_kind;
	unsigned length = 0;

	while (length < registers[kind]) {
		words[length] = thread_read_register(sender, register_of(kind, length));
		length++;
	}
	for (unsigned i = 0; i < fault->length; i++)
		words[length++] = fault->words[i];
	if (kind == FAULT_TIMEOUT && sender->sched_context)
		words[length++] = sched_context_take_consumed(sender->sched_context);
	return tag_make(kind, 0, 0, message_write(receiver, words, length));
}

bool fault_take_reply(struct thread *faulter, struct thread *handler) {
	static const uint8_t registers[] = {
		[FAULT_UNKNOWN_SYSCALL] = FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH,
		[FAULT_USER_EXCEPTION] = FAULT_USER_EXCEPTION_REPLY_LENGTH,
		[FAULT_TIMEOUT] = FAULT_TIMEOUT_REPLY_LENGTH,
		[FAULT_VM] = 0};
	const struct ipc_buffer *buffer = handler->buffer_to_read;
	unsigned kind = faulter->fault_kind;
	uint64_t tag = *context_tag(&handler->context);
	unsigned length = tag_length(tag);

	if (length > registers[kind]) length = registers[kind];
	for (unsigned i = 0; i < length && (i < MESSAGE_REGISTERS || buffer); i++)
		thread_write_register(faulter, register_of(kind, i),
			i < MESSAGE_REGISTERS ? *thread_message_register(handler, i)
					      : buffer->message[i]);
	return registers[kind] == 0 || tag_label(tag) == 0;
}
