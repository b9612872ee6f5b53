// SPDX-License-Identifier: BSD-2-Clause
// The kernel around the files under test: memory, slots, invocations, and a record of what reached
// the hardware.
#pragma once

#include <cpu/paging.h>
#include <cpu/pcid.h>
#include <cpu/registers.h>
#include <cap/derive.h>
#include <cap/invocation.h>
#include <memory/space.h>
#include <cap/object.h>
#include <memory/mapping.h>
#include <sched/thread.h>
#include <object/vcpu.h>

enum {
	WORLD_PAGES = 256,
};

struct world {
	unsigned page_reloads; // writes of CR3
	uint64_t cr4;
	unsigned space_flushes; // INVPCID
	enum tlb_kind flushed_kind;
	uint64_t flushed_pcid;
	unsigned page_flushes; // INVLPG
	uint64_t flushed_page;
	unsigned guest_flushes; // INVEPT
	unsigned all_flushes; // a new generation of ASIDs
	uint64_t flushed_guest; // root
	unsigned withdrawn_first;
	unsigned withdrawn_last;
	unsigned withdrawals;
	uint16_t port; // last one used
	uint32_t port_value;
	struct slot *empty_slot; // what invocation_empty_slot finds; null: DeleteFirst
	enum lookup_failure_kind failure; // of the last FailedLookup

	// Called on every flush, for the model of a TLB.
	void (*on_page_flush)(uint64_t address);
	void (*on_reload)(uint64_t cr3);
	void (*on_space_flush)(enum tlb_kind kind, uint64_t pcid, uint64_t address);
	void (*on_guest_flush)(uint64_t root);

	struct invocation invocation; // of the last call
	struct slot pool; // base 0
};

extern struct world world;

// Formats of spaces. A test may change them while there is no such space.
extern struct paging_format world_guest_format, world_dma_format;

// Forgets everything: fresh memory, a guest's tables are EPT, one ASID pool at base 0 (world.pool),
// the kernel's root loaded.
void world_reset(void);

// The processor has PCIDs from now on; or the kernel has tables of its own.
void world_start_pcid(void);
void world_start_isolated(void);

// Cleared pages that lie on a multiple of their own size.
void *world_allocate(unsigned pages);

// Empties a slot as the kernel does when its capability is deleted.
void world_delete(struct slot *slot);

// An original capability made by a creator; and a copy of one.
struct slot *world_table(enum object_type type);
struct slot *world_frame(unsigned size_bits, uint64_t address);
struct slot *world_copy(struct slot *slot);
struct slot *world_empty(void);

// CR3 holds the root of this space.
bool world_is_loaded(const struct slot *root);

// A root with an ASID of world.pool.
struct slot *world_space(enum object_type type);

struct call {
	struct slot *slot;
	struct slot *cap; // extra capability 0
	uint64_t words[4];
};

// Invokes a handler; payload words are in world.invocation.results.
enum error world_call(invocation_handler *handler, struct call call);

// The entry that translates address in the table of this level, or null.
uint64_t *world_entry(const struct slot *root, uint64_t address, unsigned level);

// Maps a new table of each level for address, so that a 4 KiB page can follow.
struct world_path {
	struct slot *pdpt;
	struct slot *directory;
	struct slot *table;
};

struct world_path world_map_path(struct slot *root, uint64_t address);

// The thread runs in the space of cap, or in the kernel's.
static inline void world_give_space(struct thread *thread, const struct cap *cap) {
	thread->program_root = space_program_root(cap);
	thread->space_root = pcid_kernel_root(thread->program_root);
}
