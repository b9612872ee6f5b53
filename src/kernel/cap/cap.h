// SPDX-License-Identifier: BSD-2-Clause
// Capabilities and the slots that hold them.
//
//        63                          16 15     14       9 8      5 4    0
//   head [ object address (48, signed) | device | size bits | rights | type ]
//   word [ depends on the kind: badge, guard, watermark, mapping, ...       ]
//
// Type, rights, size and object have the same place in every kind, so reading them needs no switch
// over kinds.
//
// The folder, in the order to read: capabilities (this file), who is derived from whom (derive),
// from address to slot (cspace), what is known of each kind (object), invocations and
// their errors (invocation), those of cnodes (cnode), deletion (delete). None of it knows a thread.
#pragma once

#include <abi/object.h>
#include <abi/rights.h>
#include <base/compiler.h>

enum cap_type {
	CAP_NULL,
	CAP_UNTYPED,
	CAP_ENDPOINT,
	CAP_NOTIFICATION,
	CAP_REPLY,
	CAP_CNODE, // size bits: radix; word: guard << 6 | guard size, as the ABI's data word
	CAP_THREAD,
	CAP_SCHED_CONTEXT, // size bits: of the object
	CAP_SCHED_CONTROL,
	CAP_DOMAIN,
	CAP_IRQ_CONTROL,
	CAP_IRQ_HANDLER, // object: struct irq
	CAP_ZOMBIE, // object: slot array of a dying cnode or thread
	CAP_FRAME, // size bits 12, 21 or 30
	CAP_TABLE, // inner node of a page table: format and level
	CAP_SPACE, // root of a page table: format
	CAP_ASID_CONTROL,
	CAP_ASID_POOL,
	CAP_PORT_CONTROL,
	CAP_PORT_RANGE,
	CAP_VCPU,
	CAP_IO_SPACE, // object: the unit's entry of the device, null: the master; word: Mint's data
	CAP_TYPES,
};

// Which page-table format a space, a table or a mapping belongs to.
enum space_format {
	SPACE_NONE = 0, // of a frame or table: not mapped
	SPACE_HOST = 1,
	SPACE_GUEST = 2, // EPT
	SPACE_DMA = 3, // of a device, by its number
};

// A type, and of a table or space the format and the level, in one number.
#define CAP_KIND(type, format, level) ((type) | (format) << 5 | (level) << 7)

struct cap {
	union {
		uint64_t head;
		struct {
			uint64_t type : 5;
			uint64_t rights : 4;
			uint64_t size_bits : 6;
			uint64_t device : 1;
			int64_t object : 48;
		};
	};
	union {
		uint64_t word;
		uint64_t badge; // endpoint, notification
		struct {
			uint64_t guard_size : 6;
			uint64_t guard : 58;
		} cnode;
		struct {
			// In 16-byte units: all below is handed out. The lowest field: the word n
			// means n of them, and nothing cleared.
			uint64_t watermark : 43;
			uint64_t cleared : 20; // 256 KiB chunks above the watermark known zero
		} untyped;
		struct {
			// Where this very capability is mapped. Frame, table and space share the
			// layout. A space is not mapped; it has an ASID (0: none assigned) and,
			// with that, its own physical address in page, so that the low 48 bits say
			// all that CR3 wants to know; if it is `mapped`, its PCID is not the ASID.
			uint64_t asid : 12;
			uint64_t page : 36; // virtual or guest-physical address >> 12
			uint64_t format : 2; // enum space_format; of a frame SPACE_NONE: unmapped
			uint64_t level : 2; // table: 3 PDPT, 2 page directory, 1 page table
			uint64_t mapped : 1;
			// In the space of a device: the high bits of its number, whose low ones are
			// in asid, and the level that a table has there.
			uint64_t device_high : 4;
			uint64_t depth : 3;
		} map;
		struct {
			uint64_t first : 16;
			uint64_t last : 16;
			uint64_t vcpu : 32; // physical address >> VCPU_BITS: enabled there
		} port;
		struct {
			uint64_t remaining : 48; // slots from 0 not yet emptied
			uint64_t chain : 2; // 1 + the slot where the next zombie waits, or 0
			uint64_t radix : 6;
		} zombie;
		uint64_t asid_base; // asid pool
	};
};

_Static_assert(sizeof(struct cap) == 16);

// A place for a capability, with its neighbours in derivation order (derive.h).
struct slot {
	alignas(1 << SLOT_BITS) struct cap cap; // the flags in next need the low address bits
	struct slot *previous;
	uint64_t next; // struct slot * with the flags below in its low bits
};

enum {
	SLOT_ORIGINAL = 1 << 0, // later slots of the same object are its children
	SLOT_FIRST_BADGED = 1 << 1, // first with its badge: parent of copies with that badge
	SLOT_OF_THREAD = 1 << 2, // a thread acts with it (thread_fill_slot)
	SLOT_CACHED = 1 << 3, // caches of threads lead through it (cspace.h)
	SLOT_UNFINISHED = 1 << 4, // its deletion has begun, and takes further steps
	SLOT_FLAGS = 0x1f,
	SLOT_OF_CACHE = SLOT_OF_THREAD | SLOT_CACHED, // the copy that a thread keeps for its cache
};

_Static_assert(sizeof(struct slot) == 1 << SLOT_BITS);

static inline void *cap_object(const struct cap *cap) { return (void *)(int64_t)cap->object; }

// Where a frame or table is mapped, or a root with an ASID stands: the page as it is in the word.
#define CAP_ADDRESS 0xfffffffff000ul

static inline uint64_t cap_address(const struct cap *cap) { return cap->word & CAP_ADDRESS; }

// A capability with all rights, size 0 and word 0. object may be null.
static inline struct cap cap_make(enum cap_type type, const void *object) {
	return (struct cap){.head = (uint64_t)object << 16 | RIGHTS_ALL << 5 | type};
}

static inline bool cap_has_badge(const struct cap *cap) {
	return cap->type == CAP_ENDPOINT || cap->type == CAP_NOTIFICATION;
}

static inline uint64_t cnode_slot_count(const struct cap *cnode) { return 1ul << cnode->size_bits; }

// Where type and rights are in the head of a capability.
#define CAP_HEAD_TYPE 0x1ful
#define CAP_HEAD_RIGHT(right) ((uint64_t)(right) << 5)

static inline uint64_t cap_head_of(const void *object) { return (uint64_t)object << 16; }

static inline void *cap_head_object(uint64_t head) { return (void *)((int64_t)head >> 16); }

static inline bool cap_head_is(uint64_t head, enum cap_type type, uint64_t rights) {
	return (head & (CAP_HEAD_TYPE | CAP_HEAD_RIGHT(rights))) ==
		((uint64_t)type | CAP_HEAD_RIGHT(rights));
}

// An endpoint with Write and one of the two rights to grant, which are adjacent above: what is left
// when the least such head is subtracted are these two bits.
static inline bool cap_head_may_call(uint64_t head) {
	const uint64_t grants = CAP_HEAD_RIGHT(RIGHT_GRANT | RIGHT_GRANT_REPLY);
	const uint64_t least = CAP_ENDPOINT | CAP_HEAD_RIGHT(RIGHT_WRITE | RIGHT_GRANT);

	_Static_assert(RIGHT_GRANT_REPLY == 2 * RIGHT_GRANT && RIGHT_GRANT > RIGHT_WRITE);
	return (((head & (CAP_HEAD_TYPE | CAP_HEAD_RIGHT(RIGHT_WRITE) | grants)) - least) &
		       ~grants) == 0;
}
