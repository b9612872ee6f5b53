// SPDX-License-Identifier: BSD-2-Clause
// What the kernel must know of each kind of capability and object. The tables stand in
// arch/x86_64/object/table.c, where portable and x86 kinds meet.
#pragma once

#include <abi/error.h>
#include <abi/object.h>
#include <kernel/cap.h>

// One row a capability type.
struct object_ops {
	const char *name;

	// Turns *cap, a copy of slot's, into what a copy may be (semantics.md B1). May return an
	// error or make *cap null. Null: a plain copy.
	enum error (*derive)(const struct slot *slot, struct cap *cap);

	// The capability in slot is about to go; last: no other slot refers to the object. The
	// object lets go of everything that knows it. Null: nothing to do.
	void (*destroy)(struct slot *slot, bool last);

	// DebugCapIdentify code (syscalls.md 6).
	unsigned (*identify)(const struct cap *cap);
	unsigned identify_code; // if identify is null
};

extern const struct object_ops object_ops[CAP_TYPES];

// One row a type number of Untyped_Retype.
struct object_kind {
	const char *name;
	uint8_t size_bits; // 0: the size_bits argument decides (plus SLOT_BITS for a cnode)
	uint8_t on_device; // may be made from device memory
	uint8_t keep; // memory is not cleared before creation (untyped, device frames)

	// Makes the object in cleared memory and returns its first capability. size_bits is the
	// argument of the caller for kinds of variable size, the object's size otherwise.
	struct cap (*create)(void *memory, unsigned size_bits, bool device);
};

extern const struct object_kind object_kinds[OBJECT_TYPE_COUNT];

// True if an object of this type can be created on this machine (a VCPU needs VT-x).
bool object_is_available(enum object_type type);

// Copies of the capability in slot: applies object_ops derive. *cap starts as the copy.
enum error object_derive(const struct slot *slot, struct cap *cap);

// Tries to empty slot; deletes the object with its last capability (semantics.md C6 to C10). May
// stop at a preemption point with ERROR_PREEMPTED, progress kept in the slot.
[[nodiscard]] enum error slot_delete(struct slot *slot);

// Deletes every descendant of slot (semantics.md C5). Preemptible as slot_delete.
[[nodiscard]] enum error slot_revoke(struct slot *slot);
