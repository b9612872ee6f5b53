// SPDX-License-Identifier: BSD-2-Clause
// Object kinds for Untyped_Retype and their sizes (OBJ-1).
#pragma once

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

// The data word of an IOSpace: bus << 8 | device << 3 | function, and the domain above.
enum { IO_SPACE_DEVICE = 0xffff, IO_SPACE_DOMAIN_SHIFT = 16, IO_SPACE_DOMAIN = 0xffff };

// Row: type number, name, kind of the first capability (as in abi/invocation.h), size of an object
// (0: the argument of Retype decides), and whether it may be made from memory of a device.
#define ABI_OBJECTS(ROW) \
	ROW(0, UNTYPED, UNTYPED, 0, 1) \
	ROW(1, TCB, TCB, TCB_BITS, 0) \
	ROW(2, ENDPOINT, ENDPOINT, ENDPOINT_BITS, 0) \
	ROW(3, NOTIFICATION, NOTIFICATION, NOTIFICATION_BITS, 0) \
	ROW(4, CNODE, CNODE, 0, 0) \
	ROW(5, SCHED_CONTEXT, SCHED_CONTEXT, 0, 0) \
	ROW(6, REPLY, REPLY, REPLY_BITS, 0) \
	ROW(7, PDPT, PDPT, TABLE_BITS, 0) \
	ROW(8, PML4, PML4, TABLE_BITS, 0) \
	ROW(9, HUGE_PAGE, FRAME, HUGE_PAGE_BITS, 1) \
	ROW(10, PAGE, FRAME, PAGE_BITS, 1) \
	ROW(11, LARGE_PAGE, FRAME, LARGE_PAGE_BITS, 1) \
	ROW(12, PAGE_TABLE, PAGE_TABLE, TABLE_BITS, 0) \
	ROW(13, PAGE_DIRECTORY, PAGE_DIRECTORY, TABLE_BITS, 0) \
	ROW(14, IO_PAGE_TABLE, IO_PAGE_TABLE, TABLE_BITS, 0) \
	ROW(15, VCPU, VCPU, VCPU_BITS, 0) \
	ROW(16, EPT_PML4, EPT_PML4, TABLE_BITS, 0) \
	ROW(17, EPT_PDPT, EPT_PDPT, TABLE_BITS, 0) \
	ROW(18, EPT_PD, EPT_PD, TABLE_BITS, 0) \
	ROW(19, EPT_PT, EPT_PT, TABLE_BITS, 0)

enum object_type {
#define ABI_OBJECT_TYPE(number, name, kind, size, device) OBJECT_##name = number,
	ABI_OBJECTS(ABI_OBJECT_TYPE)
#undef ABI_OBJECT_TYPE
		OBJECT_TYPE_COUNT,
};

enum {
	RETYPE_MAX_OBJECTS = 256, // made by one Retype
	ASID_POOLS = 8, // ASID pools
	ASIDS_PER_POOL = 512, // ASIDs of a pool
	USER_IRQ_VECTORS = 108, // numbers of interrupts, 0 to 107
	USER_VECTOR_OFFSET = 48, // CPU vector of user irq 0
	PRIORITIES = 256, // priorities, 255 the highest
	DOMAINS = 16, // domains, at most: the boot option `domains`, by default 1
	DOMAIN_SCHEDULE_SLOTS = 100, // slots of the domain schedule; 2 where there is one domain
};

#define USER_TOP 0x7ffffffff000ul
