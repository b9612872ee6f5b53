// SPDX-License-Identifier: BSD-2-Clause
// Capability transfer, and the whole of a message.
#include <ipc/transfer.h>

#include <cap/object.h>
#include <ipc/fault_message.h>

// The slot the receiver named for an incoming capability, or null: it must exist and be empty.
static struct slot *receive_slot(const struct thread *receiver, const struct ipc_buffer *buffer) {
	struct slot *cnode = thread_find(receiver, READ_ONCE(buffer->receive_cnode)), *slot;
	uint64_t depth = READ_ONCE(buffer->receive_depth);
	unsigned left = (unsigned)depth;

	if (!cnode || depth < 1 || depth > 64) return NULL;
	slot = cspace_walk(&cnode->cap, READ_ONCE(buffer->receive_index), &left);
	return slot && left == 0 && slot_is_empty(slot) ? slot : NULL;
}

// Transfers up to count capabilities (MSG-10 to MSG-16). Returns the caps and unwrapped fields of
// the tag for the receiver.
static uint64_t transfer_caps(const struct thread *sender, struct thread *receiver, unsigned count,
	const struct endpoint *endpoint) {
	const struct ipc_buffer *from = sender->buffer_to_read;
	struct ipc_buffer *to = receiver->buffer_to_write;
	struct slot *destination;
	uint64_t unwrapped = 0;
	unsigned i;

	if (!from || !to) return 0;
	destination = receive_slot(receiver, to);
	for (i = 0; i < count; i++) {
		struct slot *slot = thread_find(sender, READ_ONCE(from->caps_or_badges[i]));

		if (!slot || slot_is_empty(slot)) break;
		if (slot->cap.type == CAP_ENDPOINT && cap_object(&slot->cap) == endpoint) {
			to->caps_or_badges[i] = slot->cap.badge;
			unwrapped |= 1ul << i;
		} else if (destination && !slot_copy(destination, slot->cap, slot)) {
			destination = NULL;
		} else {
			break;
		}
	}
	return tag_make(0, unwrapped, i, 0);
}

void message_transfer(struct thread *sender, struct thread *receiver,
	const struct endpoint *endpoint, uint64_t badge, unsigned flags) {
	uint64_t tag = *context_tag(&sender->context), caps = 0;
	unsigned length;

	*context_badge(&receiver->context) = badge;
	if (unlikely(sender->fault_kind != FAULT_NONE)) {
		*context_tag(&receiver->context) = fault_write_message(sender, receiver);
		return;
	}
	length = message_copy(sender, receiver, tag_length(tag));
	if (unlikely(tag_caps(tag)) && flags & MESSAGE_GRANT)
		caps = transfer_caps(sender, receiver, tag_caps(tag), endpoint);
	*context_tag(&receiver->context) = tag_make(tag_label(tag), 0, 0, length) | caps;
}
