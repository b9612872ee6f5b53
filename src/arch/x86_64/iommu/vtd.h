// SPDX-License-Identifier: BSD-2-Clause
// Intel's remapping units. All have the same tables, so each change is made known to all of them,
// whichever devices are behind which:
//
//   root table, by bus -> contexts, by device -> domain, and the root of its tables
//   entries, by vector -> core, and the device that may raise it
#pragma once

#include <cpu/platform.h>
#include <iommu/common.h>

struct vtd_unit {
	uint8_t *page; // its registers
	uint64_t capability;
	struct iommu_queue queue;
	uint32_t segment;
};

// In memory of its own, taken at boot.
struct vtd {
	struct iommu iommu; // what the kernel sees of it
	bool is_coherent; // all units read tables through the caches
	unsigned count;
	struct vtd_unit units[IOMMU_MAX_UNITS];
	uint64_t (*contexts)[2]; // by device
	uint64_t (*entries)[2]; // by vector, where interrupts are remapped
	bool is_wide; // their targets have 32 bits
};

static inline struct vtd *this_vtd(void) { return (struct vtd *)this_cpu()->platform->iommu; }

static inline volatile uint32_t *vtd_word(const struct vtd_unit *unit, unsigned at) {
	return (volatile uint32_t *)(unit->page + at);
}

static inline volatile uint64_t *vtd_long(const struct vtd_unit *unit, unsigned at) {
	return (volatile uint64_t *)(unit->page + at);
}

// Starts all units, with every device blocked but for firmware's memory. False: there are none that
// work.
[[nodiscard]] bool vtd_start(const struct iommu_firmware *firmware, iommu_take *take);

// Sets a bit of the command register, or clears it, and waits.
void vtd_command(const struct vtd_unit *unit, uint32_t bit, bool on);

// All units forget translations: of all domains and contexts, of a domain, or of a page.
void vtd_forget(unsigned extent, unsigned domain, uint64_t address);

// They forget entries of interrupts: all, or by bits of the command one.
void vtd_forget_interrupts(uint64_t which);

uint32_t vtd_set_interrupt(unsigned vector, const struct iommu_interrupt *interrupt);

extern const struct paging_format paging_vtd;
extern const struct iommu vtd_iommu; // without what the units can
void vtd_report_faults(void);
