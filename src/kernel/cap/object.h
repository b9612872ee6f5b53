// SPDX-License-Identifier: BSD-2-Clause
// What the kernel must know of each kind of capability and object. The tables are in
// arch/x86_64/object/kinds.c, where portable and x86 kinds meet.
#pragma once

#include <abi/error.h>
#include <cap/derive.h>

// Turns *cap, a copy of slot's, into what a copy may be (CAP-8). May return an error or make *cap
// null.
typedef enum error cap_derive(const struct slot *slot, struct cap *cap);

// The capability in slot is about to be deleted; last: no other slot refers to the object. Removes
// all references to the object, or takes a step towards that and sets SLOT_UNFINISHED: then a
// preemption point may follow, and it is called again.
typedef void cap_destroy(struct slot *slot, bool last);

// One row a capability type.
struct object_ops {
	const char *name;
	cap_derive *derive; // null: a plain copy
	cap_destroy *destroy; // null: nothing to do
	uint8_t identify_code; // DebugCapIdentify (SYS-17); 0 for tables and spaces
	bool refuses_first_phase; // of a combined call (SYS-6)
};

extern const struct object_ops object_ops[CAP_TYPES];

cap_derive untyped_derive, space_derive, frame_derive;

// The last capability to a cnode or thread becomes a zombie (delete.c).
cap_destroy endpoint_destroy, notification_destroy, reply_destroy, cnode_destroy,
	thread_cap_destroy, sched_context_destroy, irq_handler_destroy, frame_destroy,
	table_destroy, space_destroy, asid_pool_destroy, io_space_destroy;

// Makes an object of cleared memory.
typedef void object_init(void *memory);

// One row a type number of Untyped_Retype.
struct object_kind {
	struct cap cap; // the first capability, but for object, device, and a size of 0
	uint8_t size_bits; // 0: the size_bits argument decides (plus SLOT_BITS for a cnode)
	uint8_t on_device; // may be made from device memory
	uint8_t keep; // memory is not cleared before creation (untyped, device frames)
	object_init *init; // null: cleared memory is an object
	bool (*is_available)(void); // null: on every machine; kinds of fixed size only
};

extern const struct object_kind object_kinds[OBJECT_TYPE_COUNT];

// A thread is inactive, of priority 0, with the register frame of THR-12. A host space
// takes over the kernel's half.
object_init thread_init, space_init_host;

// Makes an object in cleared memory and returns its first capability. size_bits is the argument of
// Retype for kinds of variable size, the object's size otherwise.
struct cap object_create(
	enum object_type type, void *memory, unsigned size_bits, uint64_t is_device);

// Copies of the capability in slot: applies object_ops derive. *cap starts as the copy.
[[nodiscard]] enum error object_derive(const struct slot *slot, struct cap *cap);

// Fills the empty destination with cap, a copy of source's with rights and data applied, as far as
// object_derive lets it.
[[nodiscard]] enum error slot_copy(struct slot *destination, struct cap cap, struct slot *source);
