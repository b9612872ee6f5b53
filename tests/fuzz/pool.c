// SPDX-License-Identifier: BSD-2-Clause
// Makes and destroys the objects of a round.
#include "pool.h"

#include <base/compiler.h>
#include <base/memory.h>
#include <user/slots.h>
#include <user/untyped.h>

#include "guest.h"
#include "random.h"

enum {
	POOL_BITS = 24,
	ITEMS_MAX = 112, // above: slots the threads may fill
	CORES_MOST = 4, // that the threads are spread over
	PORT_FIRST = 0x80, // POST codes and DMA page registers: no harm there
};

struct pool_row {
	char kind;
	uint8_t type;
	uint8_t size_bits;
	uint8_t count;
};

static const struct pool_row rows[] = {
	{POOL_TCB, OBJECT_TCB, 0, SCRIPTS + 3},
	{POOL_CNODE, OBJECT_CNODE, POOL_RADIX, POOL_SPACES},
	{POOL_CNODE, OBJECT_CNODE, 3, 3},
	{POOL_ENDPOINT, OBJECT_ENDPOINT, 0, 3},
	{POOL_NOTIFICATION, OBJECT_NOTIFICATION, 0, 5},
	{POOL_SCHED_CONTEXT, OBJECT_SCHED_CONTEXT, 8, SCRIPTS + 2},
	{POOL_SCHED_CONTEXT, OBJECT_SCHED_CONTEXT, 7, 2},
	{POOL_REPLY, OBJECT_REPLY, 0, 5},
	{POOL_UNTYPED, OBJECT_UNTYPED, 16, 5},
	{POOL_UNTYPED, OBJECT_UNTYPED, 12, 4},
	{POOL_UNTYPED, OBJECT_UNTYPED, 21, 1},
	{POOL_FRAME, OBJECT_PAGE, 0, 6},
	{POOL_FRAME, OBJECT_LARGE_PAGE, 0, 1},
	{POOL_SPACE, OBJECT_PML4, 0, POOL_SPACES + 2},
	{POOL_PDPT, OBJECT_PDPT, 0, 5},
	{POOL_PAGE_DIRECTORY, OBJECT_PAGE_DIRECTORY, 0, 5},
	{POOL_PAGE_TABLE, OBJECT_PAGE_TABLE, 0, 3},
	{POOL_VCPU, OBJECT_VCPU, 0, 2},
	{POOL_GUEST_SPACE, OBJECT_EPT_PML4, 0, 2},
	{POOL_GUEST_PDPT, OBJECT_EPT_PDPT, 0, 2},
	{POOL_GUEST_DIRECTORY, OBJECT_EPT_PD, 0, 2},
	{POOL_GUEST_TABLE, OBJECT_EPT_PT, 0, 2},
};

// Initial capabilities of which the threads get copies.
static const struct {
	char kind;
	seL4_CPtr cap;
} shared_rows[] = {
	{POOL_ASID_CONTROL, seL4_CapASIDControl},
	{POOL_ASID_POOL, seL4_CapInitThreadASIDPool},
	{POOL_DOMAIN, seL4_CapDomain},
};

// Written by pool_init.
static seL4_CPtr pool_memory;
static seL4_CPtr first_slot; // ITEMS_MAX slots
static seL4_CPtr sched_controls; // the first core's
static unsigned cores;
static seL4_CPtr device; // untyped far above RAM, or 0

// Written by pool_make.
static char kinds[ITEMS_MAX];
static unsigned item_count;
static bool is_given[POOL_SPACES + 1][ITEMS_MAX]; // by space; the last is the supervisor's

static seL4_CPtr far_device(const seL4_BootInfo *bootinfo) {
	for (seL4_Word i = 0; i < bootinfo->untyped.end - bootinfo->untyped.start; i++) {
		const seL4_UntypedDesc *entry = &bootinfo->untypedList[i];

		if (entry->isDevice && entry->paddr >= 1ul << 40)
			return bootinfo->untyped.start + i;
	}
	return seL4_CapNull;
}

bool pool_init(const seL4_BootInfo *bootinfo) {
	sched_controls = bootinfo->schedcontrol.start;
	cores = bootinfo->numNodes < CORES_MOST ? (unsigned)bootinfo->numNodes : CORES_MOST;
	device = far_device(bootinfo);
	first_slot = slots_allocate(ITEMS_MAX);
	pool_memory = object_make(OBJECT_UNTYPED, POOL_BITS);
	return first_slot && pool_memory;
}

seL4_CPtr pool_slot(seL4_Word item) { return first_slot + item; }

seL4_CPtr pool_nth(char kind, unsigned n) {
	for (unsigned item = 1; item < item_count; item++) {
		if (kinds[item] == kind && n-- == 0) return pool_slot(item);
	}
	return seL4_CapNull;
}

seL4_Word pool_pick(char kind, unsigned space) {
	unsigned start = random_below(ITEMS_MAX);

	for (unsigned i = 0; i < ITEMS_MAX; i++) {
		unsigned item = (start + i) % ITEMS_MAX;

		if (kinds[item] == kind && is_given[space][item]) return item;
	}
	return 0;
}

static void item_add(char kind) {
	is_given[POOL_SPACES][item_count] = true;
	kinds[item_count++] = kind;
}

seL4_CPtr pool_take(void) {
	item_add(POOL_NONE);
	return pool_slot(item_count - 1);
}

// VCPUs and guest tables are refused on a machine without VT-x: their slots stay empty.
static bool may_be_refused(const struct pool_row *row) {
	return row->type == OBJECT_VCPU || row->type >= OBJECT_EPT_PML4;
}

static const char *originals_make(void) {
	item_count = 1;
	memset(is_given, 0, sizeof(is_given));
	for (unsigned i = 0; i < array_count(rows); i++) {
		const struct pool_row *row = &rows[i];
		seL4_Error error = seL4_Untyped_Retype(pool_memory, row->type, row->size_bits,
			seL4_CapInitThreadCNode, 0, 0, pool_slot(item_count), row->count);

		if (error && !may_be_refused(row)) return "retype of the pool";
		for (unsigned n = 0; n < row->count; n++)
			item_add(row->kind);
	}
	return NULL;
}

static void shared_add(char kind, seL4_CPtr cap) {
	if (cap)
		(void)seL4_CNode_Copy(seL4_CapInitThreadCNode, pool_slot(item_count), seL4_WordBits,
			seL4_CapInitThreadCNode, cap, seL4_WordBits, seL4_AllRights);
	item_add(kind);
}

static void shared_make(void) {
	for (unsigned i = 0; i < array_count(shared_rows); i++)
		shared_add(shared_rows[i].kind, shared_rows[i].cap);
	for (unsigned core = 0; core < cores; core++)
		shared_add(POOL_SCHED_CONTROL, sched_controls + core);
	shared_add(POOL_UNTYPED, device);
}

static void issued_make(void) {
	for (unsigned n = 0; n < 3; n++) {
		seL4_Word first = PORT_FIRST + 4 * n;

		(void)seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, first, first + 3,
			seL4_CapInitThreadCNode, pool_slot(item_count), seL4_WordBits);
		item_add(POOL_PORT_RANGE);
		(void)seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, seL4_CapInitThreadCNode,
			pool_slot(item_count), seL4_WordBits, 0, 2 + n, random_below(2),
			random_below(2), random_below(100));
		item_add(POOL_IRQ_HANDLER);
	}
}

// A guard with which a capability space of POOL_RADIX uses up all 64 bits of an address.
static seL4_Word full_guard(void) { return seL4_WordBits - POOL_RADIX; }

static seL4_Word random_data(char kind) {
	if (kind == POOL_CNODE) return random_below(5) ? full_guard() : random_below(64);
	return random_below(4) ? random_below(6) : random_edge();
}

// Gives one capability space its capability of an item. What cannot be copied (an unmapped table),
// and memory, of which a copy uses up the original, is moved to one of them.
static void item_give(unsigned space, unsigned item) {
	seL4_CPtr cnode = pool_nth(POOL_CNODE, space);
	seL4_CapRights_t rights = {{random_below(3) ? 15 : random_below(16)}};
	char kind = kinds[item];
	seL4_Error error;

	if (random_once_in(8)) return;
	if (kind == POOL_CNODE || kind == POOL_ENDPOINT || kind == POOL_NOTIFICATION)
		error = seL4_CNode_Mint(cnode, item, POOL_RADIX, seL4_CapInitThreadCNode,
			pool_slot(item), seL4_WordBits, rights, random_data(kind));
	else if (kind == POOL_UNTYPED && random_below(8))
		error = seL4_IllegalOperation;
	else
		error = seL4_CNode_Copy(cnode, item, POOL_RADIX, seL4_CapInitThreadCNode,
			pool_slot(item), seL4_WordBits, rights);
	if (error == seL4_IllegalOperation && random_below(2)) {
		error = seL4_CNode_Move(cnode, item, POOL_RADIX, seL4_CapInitThreadCNode,
			pool_slot(item), seL4_WordBits);
		if (!error) is_given[POOL_SPACES][item] = false;
	}
	is_given[space][item] = !error;
}

// Maps the arena into an address space.
static const char *space_prepare(seL4_CPtr space, unsigned n) {
	seL4_CPtr frame = pool_take();

	if (seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space)) return "ASID";
	if (seL4_X86_PDPT_Map(pool_nth(POOL_PDPT, n), space, ARENA, 0)) return "PDPT";
	if (seL4_X86_PageDirectory_Map(pool_nth(POOL_PAGE_DIRECTORY, n), space, ARENA, 0))
		return "page directory";
	if (seL4_CNode_Copy(seL4_CapInitThreadCNode, frame, seL4_WordBits, seL4_CapInitThreadCNode,
		    arena_frame(), seL4_WordBits, seL4_AllRights))
		return "copy of the arena";
	if (seL4_X86_Page_Map(frame, space, ARENA, seL4_AllRights, 0)) return "arena";
	return NULL;
}

static const char *thread_prepare(unsigned n) {
	seL4_CPtr tcb = pool_nth(POOL_TCB, n);
	seL4_CPtr space = pool_nth(POOL_SPACE, n % POOL_SPACES);
	seL4_CPtr context = pool_nth(POOL_SCHED_CONTEXT, n);
	seL4_CPtr handler = random_below(3) ? seL4_CapNull : pool_nth(POOL_ENDPOINT, n % 3);
	seL4_Word priority = random_below(101);
	seL4_Word budget = random_below(3) ? 5000 : 20 + random_below(300);

	if (seL4_TCB_Configure(tcb, pool_nth(POOL_CNODE, n % POOL_SPACES), full_guard(), space, 0,
		    (seL4_Word)&script_of(n)->buffer, arena_frame()))
		return "configuring a thread";
	if (seL4_SchedControl_ConfigureFlags(sched_controls + n % cores, context, budget,
		    random_below(2) ? budget : 2 * budget, random_below(3), n, random_below(2)))
		return "configuring a scheduling context";
	if (seL4_TCB_SetSchedParams(tcb, seL4_CapInitThreadTCB, 100, priority, context, handler))
		return "scheduling parameters of a thread";
	if (random_once_in(4)) (void)seL4_TCB_SetTimeoutEndpoint(tcb, pool_nth(POOL_ENDPOINT, 0));
	if (random_once_in(3))
		(void)seL4_TCB_BindNotification(tcb, pool_nth(POOL_NOTIFICATION, n % 5));
	return NULL;
}

const char *pool_make(void) {
	const char *problem = originals_make();
	unsigned items;

	if (problem) return problem;
	shared_make();
	issued_make();
	items = item_count;
	(void)seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, pool_nth(POOL_GUEST_SPACE, 0));
	for (unsigned n = 0; n < POOL_SPACES && !problem; n++)
		problem = space_prepare(pool_nth(POOL_SPACE, n), n);
	for (unsigned n = 0; n < SCRIPTS && !problem; n++)
		problem = thread_prepare(n);
	for (unsigned n = 0; n < GUESTS; n++)
		guest_prepare(n);
	for (unsigned n = 0; n < POOL_SPACES && !problem; n++) {
		for (unsigned item = 1; item < items; item++)
			item_give(n, item);
	}
	return problem;
}

const char *pool_clear(void) {
	if (seL4_CNode_Revoke(seL4_CapInitThreadCNode, pool_memory, seL4_WordBits))
		return "revoking the round's memory";
	for (unsigned item = 1; item < ITEMS_MAX; item++) {
		if (seL4_CNode_Delete(seL4_CapInitThreadCNode, pool_slot(item), seL4_WordBits))
			return "deleting a leftover";
	}
	for (unsigned item = 1; item < ITEMS_MAX; item++) {
		if (seL4_DebugCapIdentify(pool_slot(item))) return "emptying a slot";
	}
	return NULL;
}
