// SPDX-License-Identifier: BSD-2-Clause
// What stands between devices and memory, of any maker: a device reaches what the tables below
// its root show, and without a root nothing. Tables are the walker's (paging.h), of a row of their
// own; its ASIDs are domains.
#pragma once

#include <cpu/paging.h>

// A device is the number that its requests bear: bus << 8 | device << 3 | function.
struct iommu_root {
	physical_t table; // 0: none
	unsigned domain;
};

// Found at boot and read afterwards.
struct iommu {
	const struct paging_format *paging;
	uint64_t page_bits; // what an entry of a page has besides
	uint64_t limit; // no DMA address is above
	unsigned levels; // of the tables
	unsigned largest_page; // level
	unsigned domains; // those from 1 up to below are a program's to choose

	// The object of capabilities to the device.
	void *(*device)(unsigned device);
	struct iommu_root (*root)(const void *device);

	// The device reaches what is below the root from now on, and nothing else.
	void (*set_root)(void *device, struct iommu_root root);

	// The units see what was written, before an entry leads to it.
	void (*publish)(const void *start, uint64_t size);

	// They see the entry of this level for address, which was free and is published.
	void (*entry_added)(unsigned domain, uint64_t address, unsigned level);

	// Its interrupt came: devices have tried what they may not.
	void (*report_faults)(void);
};
