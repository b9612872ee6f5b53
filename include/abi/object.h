// SPDX-License-Identifier: BSD-2-Clause
// Object kinds for Untyped_Retype and their sizes (OBJ-1).
#pragma once

enum object_type {
	OBJECT_UNTYPED = 0,
	OBJECT_TCB = 1,
	OBJECT_ENDPOINT = 2,
	OBJECT_NOTIFICATION = 3,
	OBJECT_CNODE = 4,
	OBJECT_SCHED_CONTEXT = 5,
	OBJECT_REPLY = 6,
	OBJECT_PDPT = 7,
	OBJECT_PML4 = 8,
	OBJECT_HUGE_PAGE = 9,
	OBJECT_PAGE = 10,
	OBJECT_LARGE_PAGE = 11,
	OBJECT_PAGE_TABLE = 12,
	OBJECT_PAGE_DIRECTORY = 13,
	OBJECT_IO_PAGE_TABLE = 14,
	OBJECT_VCPU = 15,
	OBJECT_EPT_PML4 = 16,
	OBJECT_EPT_PDPT = 17,
	OBJECT_EPT_PD = 18,
	OBJECT_EPT_PT = 19,
	OBJECT_TYPE_COUNT = 20,
};

// Sizes as powers of two, in bytes.
enum {
	SLOT_BITS = 5, // slot of a CNode, in bytes as a power of two
	TCB_BITS = 11,
	ENDPOINT_BITS = 4,
	NOTIFICATION_BITS = 6,
	REPLY_BITS = 5,
	PAGE_BITS = 12,
	LARGE_PAGE_BITS = 21,
	HUGE_PAGE_BITS = 30,
	TABLE_BITS = 12,
	ASID_POOL_BITS = 12, // ASID pool, as a power of two
	VCPU_BITS = 14,
	IPC_BUFFER_BITS = 10, // IPC buffer, as a power of two
	UNTYPED_MIN_BITS = 4, // smallest untyped, as a power of two
	UNTYPED_MAX_BITS = 47, // largest object, as a power of two
	SCHED_CONTEXT_MIN_BITS = 7, // smallest scheduling context, as a power of two
};

enum {
	RETYPE_MAX_OBJECTS = 256, // made by one Retype
	ASID_POOLS = 8, // ASID pools
	ASIDS_PER_POOL = 512, // ASIDs of a pool
	USER_IRQ_VECTORS = 108, // numbers of interrupts, 0 to 107
	USER_VECTOR_OFFSET = 48, // CPU vector of user irq 0
	PRIORITIES = 256, // priorities, 255 the highest
	DOMAINS = 1, // domains
	DOMAIN_SCHEDULE_SLOTS = 2, // slots of the domain schedule
};

#define USER_TOP 0x7ffffffff000ul
