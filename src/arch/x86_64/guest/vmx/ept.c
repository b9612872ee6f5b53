// SPDX-License-Identifier: BSD-2-Clause
// The row of extended page tables, by which VT-x translates what a guest takes for physical
// addresses (SDM 3C 29.3.2, tables 29-1 to 29-7).
#include <cpu/mitigations.h>
#include <cpu/paging.h>
#include <guest/vmx/guest.h>

enum entry { READ = 1 << 0, WRITE = 1 << 1, EXECUTE = 1 << 2, MEMORY_TYPE_SHIFT = 3 };

enum memory_type { UNCACHEABLE = 0, WRITE_COMBINING = 1, WRITE_THROUGH = 4, WRITE_BACK = 6 };

// By attributes, which are memory types, for pages of one size: write-back for what is none.
#define TYPE(large, type) ((large) | (type) << MEMORY_TYPE_SHIFT)
#define MEMORY(large) \
	{ \
		TYPE(large, UNCACHEABLE), TYPE(large, WRITE_COMBINING), TYPE(large, WRITE_BACK), \
			TYPE(large, WRITE_BACK), TYPE(large, WRITE_THROUGH), \
			TYPE(large, WRITE_BACK), TYPE(large, WRITE_BACK), TYPE(large, WRITE_BACK) \
	}

const struct paging_format paging_ept = {
	.invalidate = vmx_invalidate_guest,
	.table = READ | WRITE | EXECUTE,
	.access = PAGING_ACCESS(READ | EXECUTE, WRITE),
	.limit = UINT64_MAX,
	// A large page that can be executed may stop this CPU.
	.split = MITIGATION_BIT(ITLB_MULTIHIT),
	.root_entries = PAGING_ENTRIES,
	.largest_page = 2,
	// MEM-22
	.late_asid = BIT(2) | BIT(3),
	.attributes = UINT64_MAX,
	// No MTRR makes it uncached for guests (SDM 3C 29.3.7.2).
	.device_attributes = BIT(UNCACHEABLE) | BIT(WRITE_COMBINING),
	.memory = {MEMORY(0), MEMORY(PAGING_LARGE), MEMORY(PAGING_LARGE)},
};
