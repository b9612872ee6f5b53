// SPDX-License-Identifier: BSD-2-Clause
// What each core remembers of page tables: stays until the kernel has it forgotten.
#include "host.h"

#include <cpu/layout.h>
#include <cpu/paging.h>
#include <cpu/pcid.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>

// address: of a page, in the bits that pages has.
static void forget(uint64_t pcid, uint64_t address, uint64_t pages) {
	struct host_core *core = host_core();

	for (unsigned i = 0; i < HOST_TRANSLATIONS; i++) {
		struct host_translation *row = &core->translations[i];

		if (row->root % PCIDS == pcid && ((row->address ^ address) & pages) == 0)
			*row = (struct host_translation){};
	}
}

// Where PCIDs are not used each is 0, and everything is forgotten (SDM 3A 4.10.4).
void cr3_write(uint64_t value) {
	host_core()->cr3 = value & ~CR3_KEEP;
	if (!(value & CR3_KEEP)) forget(value % PCIDS, 0, 0);
}

void tlb_invalidate_page(uint64_t address) {
	forget(host_core()->cr3 % PCIDS, address, UINT64_MAX << 12);
}

void tlb_invalidate(enum tlb_kind kind, uint64_t pcid, uint64_t address) {
	forget(pcid, address, kind == TLB_ADDRESS ? UINT64_MAX << 12 : 0);
}

// Reads the tables as the CPU does, which takes no lock.
uint64_t host_walk(uint64_t root, uint64_t address) {
	const uint64_t *table = physical_pointer(physical(root));
	uint64_t entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		entry = __atomic_load_n(&table[address >> shift & 511], __ATOMIC_RELAXED);
		if (!(entry & 1)) return 0;
		table = physical_pointer(physical(entry & PAGING_ADDRESS));
	}
	return entry;
}

uint64_t host_touch(uint64_t address) {
	struct host_core *core = host_core();
	uint64_t root = core->cr3;
	struct host_translation *row;
	uint64_t entry;

	address &= UINT64_MAX << 12;
	for (unsigned i = 0; i < HOST_TRANSLATIONS; i++) {
		row = &core->translations[i];
		if (row->root == root && row->address == address) return row->entry;
	}
	entry = root ? host_walk(root & PAGING_ADDRESS, address) : 0;
	if (!entry) return 0;
	row = &core->translations[core->translation_next++ % HOST_TRANSLATIONS];
	*row = (struct host_translation){root, address, entry};
	return entry;
}
