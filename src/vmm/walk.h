// SPDX-License-Identifier: BSD-2-Clause
// Guest page-table walk: linear to guest-physical address in every paging mode of the guest. Pure.
#pragma once

#include <vmm/memory.h>

// The control registers a walk depends on.
struct paging {
	uint64_t cr0, cr3, cr4, efer;
};

enum walk_access {
	WALK_READ = 0,
	WALK_WRITE = 1 << 0,
	WALK_USER = 1 << 1,
};

struct walk {
	uint64_t linear;
	unsigned access; // of enum walk_access
	struct guest_physical physical; // set on success
	uint32_t error_code; // of the page fault, set on failure
};

// Sets accessed and dirty bits as the CPU would. False means #PF with walk->error_code.
[[nodiscard]] bool walk_translate(
	const struct guest_memory *memory, const struct paging *paging, struct walk *walk);
