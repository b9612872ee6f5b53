// SPDX-License-Identifier: BSD-2-Clause
// Making objects and copies of capabilities as the table of kinds says.
#include <cap/object.h>

struct cap object_create(
	enum object_type type, void *memory, unsigned size_bits, uint64_t is_device) {
	const struct object_kind *kind = &object_kinds[type];
	struct cap cap = kind->cap;

	if (kind->init) kind->init(memory);
	cap.head |= cap_head_of(memory);
	cap.size_bits = size_bits & 63;
	cap.device = is_device & 1;
	return cap;
}

enum error object_derive(const struct slot *slot, struct cap *cap) {
	const struct object_ops *ops = &object_ops[slot->cap.type];

	return ops->derive ? ops->derive(slot, cap) : ERROR_NONE;
}

enum error slot_copy(struct slot *destination, struct cap cap, struct slot *source) {
	enum error error = object_derive(source, &cap);

	if (unlikely(error)) return error;
	if (unlikely(cap.type == CAP_NULL)) return ERROR_ILLEGAL_OPERATION;
	derive_insert_copy(destination, cap, source);
	return ERROR_NONE;
}
