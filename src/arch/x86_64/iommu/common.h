// SPDX-License-Identifier: BSD-2-Clause
// What drivers of units of any maker do alike: a queue of commands with an answer,
// firmware's memory that stays open, and a line for what a device tried.
#pragma once

#include <cpu/iommu.h>
#include <iommu/firmware.h>

// Takes zeroed memory, of whole pages, for good.
typedef void *iommu_take(uint64_t size);

// A page of commands, of two words each.
struct iommu_queue {
	uint64_t *commands;
	uint32_t tail; // where the next command goes
	volatile uint64_t answer; // becomes 1 when a unit has done what was before
};

// Memory may be used for something else only when a unit has let go of it: waits for these bits of
// a word, or panics.
void iommu_wait(const volatile void *word, uint32_t bits, uint32_t value);

// The unit sees it with the tail, in bytes, that is written to its register, and all that was
// written before: stores to a device are never ahead of those to memory (SDM 3A 9.2.2).
void iommu_put(struct iommu_queue *queue, uint64_t low, uint64_t high);
static inline uint64_t iommu_tail(const struct iommu_queue *queue) {
	asm volatile("" : : : "memory");
	return 16ul * queue->tail;
}

// The four bytes that have a register of a device.
uint32_t iommu_pci_read(unsigned device, unsigned at);

// The number of a device.
unsigned iommu_device(const struct iommu_scope *scope);

// The device has memory of firmware, in a domain of its own, from the highest down. Before units
// are started.
void iommu_keep(const struct iommu_range *range, iommu_take *take);

// So many units are started: of all that firmware names, or devices pass by the others.
void iommu_started(const char *name, unsigned count, const struct iommu_firmware *firmware);

// Devices have tried something once more: it is too often for this second.
[[nodiscard]] bool iommu_is_too_much(void);

// So much comes within a second although devices are silenced that no more must be wanted of a
// unit; a line says so.
[[nodiscard]] bool iommu_is_flood(void);

// A device has tried to reach memory: a line in the log, unless it is too much and no more is
// wanted of the device. True: no more must be wanted of it, so that it takes no time from programs.
[[nodiscard]] bool iommu_report(
	unsigned device, bool is_silent, const char *what, uint64_t address, uint64_t reason);
