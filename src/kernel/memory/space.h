// SPDX-License-Identifier: BSD-2-Clause
// Address spaces: roots, ASIDs, and what the scheduler needs of them (MEM-1 to MEM-23).
#pragma once

#include <cpu/layout.h>
#include <sched/thread.h>

enum { ASID_NONE = 0 }; // never given out

// True if the capability is a root of this format with an ASID.
static inline bool space_is_assigned(const struct cap *cap, enum space_format format) {
	return cap->type == CAP_SPACE && cap->map.format == format && cap->map.asid != ASID_NONE;
}

// Switches PCIDs on where the CPU has them. CR3 holds the kernel's own tables.
void space_start(void);

// The thread runs in the space of a root with an ASID from now on; null: in nobody's, which is the
// kernel's own tables.
void space_give(struct thread *thread, const struct cap *cap);

// Loads the address space of thread. Writes CR3 only on a change.
static inline void space_load(struct cpu *cpu, const struct thread *thread) {
	if (cpu->space_root == thread->space_root) return;
	cpu->space_root = thread->space_root;
	cr3_write(thread->space_root);
}

// Physical root of the guest space in the thread's THREAD_GUEST_SPACE slot, or of an empty space.
physical_t space_guest_root(const struct thread *thread);

// The word of the capabilities to the root that has the ASID; 0 if that names nothing.
uint64_t space_word_of_asid(unsigned asid);

// The root whose capabilities have this word.
static inline physical_t space_physical(uint64_t word) { return physical(word & CAP_ADDRESS); }

static inline void *space_named(uint64_t word) { return physical_pointer(space_physical(word)); }

// A table of the host root with this word changed: no old translation of the page at address, or
// none at all, survives.
void space_flush_page(uint64_t word, uint64_t address);
void space_flush(uint64_t word);

// Puts a table, or a frame with all its rights, into a new space and records that in the
// capability. Everything above must be mapped already.
void table_attach(struct cap *table, const struct cap *root, uint64_t address);
void frame_attach(struct cap *frame, const struct cap *root, uint64_t address);

// A pool of ASIDs: for each, the word of the capabilities to the root that has it, or 0. The kernel
// tells ASIDs from roots by it. The ASID of a host space is its PCID too.
struct asid_pool {
	uint64_t words[ASIDS_PER_POOL];
};

_Static_assert(sizeof(struct asid_pool) == 1 << ASID_POOL_BITS);

// The pool, in cleared memory, takes the lowest free base. One is free.
struct cap asid_pool_install(struct asid_pool *pool);

// Gives the root the lowest free ASID of the pool. False: there is none.
bool asid_pool_give(const struct cap *pool, struct cap *root);
