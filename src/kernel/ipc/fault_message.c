// SPDX-License-Identifier: BSD-2-Clause
// The words of faults, and of the replies to them.
#include <ipc/fault_message.h>

#include <base/panic.h>
#include <ipc/message.h>
#include <sched/sched_context.h>

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
	unsigned kind = faulter->fault_kind, length = tag_length(from->rsi);

	if (length > reply_registers[kind]) length = reply_registers[kind];
	for (unsigned i = 0; i < length && (i < MESSAGE_REGISTERS || buffer); i++)
		thread_write_register(faulter, register_of(kind, i),
			i < MESSAGE_REGISTERS ? from->words[i] : buffer->message[i]);
	faulter->fault_kind = FAULT_NONE;
}
