// SPDX-License-Identifier: BSD-2-Clause
// Address spaces: roots, ASIDs, and what the scheduler needs of them (MEM-1 to MEM-23).
//
// The folder, in the order to read: where memory comes from (untyped), roots (this file), tables
// and frames in them (mapping).
#pragma once

#include <cap/cap.h>
#include <cpu/pcid.h>
#include <cpu/platform.h>

enum { ASID_NONE = 0 }; // never given out

// True if the capability is a root of this format with an ASID.
static inline bool space_is_assigned(const struct cap *cap, enum space_format format) {
	return cap->type == CAP_SPACE && cap->map.format == format && cap->map.asid != ASID_NONE;
}

// Null: this machine has no root of the format.
static inline const struct paging_format *space_paging(enum space_format format) {
	return this_cpu()->platform->paging[format];
}

// Threads in the space of this capability, if it is one, may run on the core: it may keep what its
// tables say.
void space_used_on(const struct cap *cap, const struct cpu *cpu);

// No core uses a translation of the page at address below the root with this ASID, or of any page
// (EVERY_PAGE; NO_SPACE: nor loads the root), any more. The entries were changed before.
void space_forget(
	const struct paging_format *paging, physical_t root, unsigned asid, uint64_t address);

// CR3 for a program in the space of a root with an ASID; null: with the kernel's own tables.
uint64_t space_program_root(const struct cap *cap);

// Writes CR3 only on a change.
static inline void space_load(struct cpu *cpu, uint64_t root) {
	if (cpu->space_root == root) return;
	cpu->space_root = root;
	cr3_write(root);
}

// Physical root of the guest space of this capability; null capability: of an empty space.
physical_t space_guest_root(const struct cap *cap);

// The word of the capabilities to the root that has the ASID; 0 if that names nothing.
uint64_t space_word_of_asid(unsigned asid);

// The root whose capabilities have this word.
static inline physical_t space_physical(uint64_t word) { return physical(word & CAP_ADDRESS); }

static inline void *space_named(uint64_t word) { return physical_pointer(space_physical(word)); }

// A pool of ASIDs: for each, the word of the capabilities to the root that has it, or 0. The kernel
// tells ASIDs from roots by it. The ASID of a host space is its PCID too.
struct asid_pool {
	uint64_t words[ASIDS_PER_POOL];
};

_Static_assert(sizeof(struct asid_pool) == 1 << ASID_POOL_BITS);

// The pools of a kernel image: by base.
struct asid_table {
	struct asid_pool *pools[ASID_POOLS];

	// By ASID, whether its PCID still belongs to a root that outlived its pool: a thread in
	// that one must not use translations of the ASID's next root, so the next has PCID 0, and
	// `mapped` in its capabilities says so.
	bool pcid_is_lost[PCIDS];

	// By ASID, the cores that may keep translations, as bits.
	uint64_t cores[PCIDS];
};

_Static_assert(PCIDS == ASID_POOLS * ASIDS_PER_POOL);

// The pool, in cleared memory, takes the lowest free base. One is free.
struct cap asid_pool_install(struct asid_pool *pool);

// Gives the root the lowest free ASID of the pool. False: there is none.
[[nodiscard]] bool asid_pool_give(const struct cap *pool, struct cap *root);
