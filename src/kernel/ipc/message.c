// SPDX-License-Identifier: BSD-2-Clause
// Writing and copying the words of messages.
#include <ipc/message.h>

unsigned message_write(struct thread *receiver, const uint64_t *words, unsigned length) {
	struct ipc_buffer *buffer = receiver->buffer_to_write;
	unsigned i;

	for (i = 0; i < length && (i < MESSAGE_REGISTERS || buffer); i++)
		*(i < MESSAGE_REGISTERS ? &receiver->context.words[i]
					: &buffer->message[i]) = words[i];
	return i;
}

unsigned message_copy(const struct thread *sender, struct thread *receiver, unsigned length) {
	const struct ipc_buffer *from = sender->buffer_to_read;
	struct ipc_buffer *to = receiver->buffer_to_write;

	message_copy_registers(&sender->context, &receiver->context, length);
	if (length <= MESSAGE_REGISTERS) return length;
	if (!from || !to) return MESSAGE_REGISTERS;
	for (unsigned i = MESSAGE_REGISTERS; i < length; i++)
		to->message[i] = from->message[i];
	return length;
}
