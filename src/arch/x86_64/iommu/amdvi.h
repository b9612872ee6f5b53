// SPDX-License-Identifier: BSD-2-Clause
// AMD's remapping units. All have the same device table, so each change is made known to all of
// them, whichever devices are behind which.
#pragma once

#include <cpu/platform.h>
#include <iommu/common.h>

struct amdvi_unit {
	uint8_t *page; // its registers
	struct iommu_queue queue;
	uint64_t *events; // a page of them, of two words each
	uint64_t control; // what it wants of its control register
	uint32_t segment;
};

// In memory of its own, taken at boot.
struct amdvi {
	struct iommu iommu; // what the kernel sees of it
	bool caches_absent; // a unit keeps that there was nothing
	bool forgets_all; // by one command, all units
	unsigned count;
	struct amdvi_unit units[IOMMU_MAX_UNITS];
	uint64_t (*devices)[4]; // entries
};

enum { AMDVI_DEVICE_COUNT = 1 << 16, AMDVI_LEVELS = 4 };

static inline struct amdvi *this_amdvi(void) { return (struct amdvi *)this_cpu()->platform->iommu; }

static inline volatile uint64_t *amdvi_long(const struct amdvi_unit *unit, unsigned at) {
	return (volatile uint64_t *)(unit->page + at);
}

// Starts all units, with every device blocked but for firmware's memory. False: there are none that
// work.
[[nodiscard]] bool amdvi_start(const struct iommu_firmware *firmware, iommu_take *take);

// All units do the command, unless it is 0, and forget a domain's page, or all pages.
void amdvi_forget(uint64_t command, unsigned domain, uint64_t address);

extern const struct iommu amdvi_iommu; // without what the units can
void amdvi_report_faults(void);
