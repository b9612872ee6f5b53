// SPDX-License-Identifier: BSD-2-Clause
// Guest page-table walk: linear to guest-physical address in every paging mode of the guest. Pure.
#pragma once

#include <vmm/host/memory.h>
#include <vmm/vcpu/x86.h>

#include <x86/cr.h>

enum { PAGE_SIZE = 0x1000, PAGING_DIRECTORY = 4 };
#define CR3_PAE_BASE 0xffffffe0ull

// The registers a walk depends on.
struct paging {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t directory[PAGING_DIRECTORY]; // the pointers that PAE paging keeps in the CPU
	bool directory_in_memory; // the CPU keeps none, and reads them where CR3 says
};

enum walk_access {
	WALK_READ = 0,
	WALK_WRITE = 1 << 0,
	WALK_USER = 1 << 1,
	WALK_FETCH = 1 << 2,
	WALK_FLAG_AC = 1 << 3, // RFLAGS.AC is set, which lets supervisor code past SMAP
};

[[nodiscard]] static inline bool paging_is_pae(const struct paging *paging) {
	return (paging->cr0 & CR0_PG) && (paging->cr4 & CR4_PAE) && !(paging->efer & EFER_LMA);
}

// Entries of 8 bytes that a walk used, as it left them. While they hold, and the registers are the
// same, another walk to the same page leads to the same place.
struct walk_trail {
	unsigned count;
	struct walk_step {
		const uint64_t *entry;
		uint64_t value;
	} steps[4];
};

[[nodiscard]] static inline bool walk_trail_holds(const struct walk_trail *trail) {
	for (unsigned i = 0; i < trail->count; i++)
		if (*trail->steps[i].entry != trail->steps[i].value) return false;
	return true;
}

struct walk {
	uint64_t linear;
	unsigned access; // of enum walk_access
	struct walk_trail *trail; // of long mode, begins empty; or null
	struct guest_physical physical; // set on success
	uint32_t error_code; // of the page fault, set on failure
};

// Sets accessed and dirty bits as the CPU would. False means #PF with walk->error_code.
[[nodiscard]] bool walk_translate(
	const struct guest_memory *memory, const struct paging *paging, struct walk *walk);
