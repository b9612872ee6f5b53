// SPDX-License-Identifier: BSD-2-Clause
// What stands between devices and memory, of any maker: a device reaches what the tables below
// its root show, and without a root nothing. Tables are the walker's (paging.h), of a row of their
// own; its ASIDs are domains.
//
// And between devices and cores, where set_interrupt is there: an interrupt passes by an entry with
// the number of its vector, which a pin or the data of a message names, and without one not.
#pragma once

#include <cpu/paging.h>

// A device is the number that its requests bear: bus << 8 | device << 3 | function.
struct iommu_root {
	physical_t table; // 0: none
	unsigned domain;
};

enum { IOMMU_ANY_DEVICE = 1 << 16 };

struct iommu_interrupt {
	uint32_t target; // id of the APIC it comes to
	uint32_t source; // number of the only device that raises it, or IOMMU_ANY_DEVICE
	bool is_level;
};

// Found at boot and read afterwards, but the last two.
struct iommu {
	const struct paging_format *paging;
	uint64_t page_bits; // what an entry of a page has besides
	uint64_t limit; // no DMA address is above
	bool is_whole; // no unit that firmware names is left out
	unsigned levels; // of the tables
	unsigned largest_page; // level
	unsigned domains; // those from 1 up to below are a program's to choose

	// The object of capabilities to the device.
	void *(*device)(unsigned device);
	struct iommu_root (*root)(const void *device);

	// The device reaches what is below the root from now on, and nothing else.
	void (*set_root)(void *device, struct iommu_root root);

	// As far as a unit finds it when it looks next. For those who drive units.
	void (*write_root)(void *device, struct iommu_root root);

	// The units see what was written, before an entry leads to it.
	void (*publish)(const void *start, uint64_t size);

	// They see the entry of this level for address, which was free and is published.
	void (*entry_added)(unsigned domain, uint64_t address, unsigned level);

	// Its interrupt came: devices have tried what they may not.
	void (*report_faults)(void);

	// The vector's entry lets this interrupt pass from now on, and no other; null: none.
	// Returns the high word of a pin that is to raise it.
	uint32_t (*set_interrupt)(unsigned vector, const struct iommu_interrupt *interrupt);
	uint32_t message; // the address of all messages then
	uint32_t last_target; // largest id of an APIC that they can name

	uint64_t second; // when it began
	unsigned faults; // reported in it
};

// The entry that names a table of this level. Formats that say so have its number in bits 9 to 11.
static inline uint64_t iommu_table_entry(
	const struct iommu *iommu, physical_t table, unsigned level) {
	return paging_table_entry(iommu->paging, table, (uint64_t)level << 6);
}
