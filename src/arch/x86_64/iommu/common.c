// SPDX-License-Identifier: BSD-2-Clause
// What drivers of units do alike.
#include <iommu/common.h>

#include <cpu/clock.h>
#include <cpu/platform.h>
#include <pci/pci.h>

enum { ANSWER_US = 1000000, SECOND_US = 1000000, QUEUE_COMMANDS = PAGE_SIZE / 16 };
enum { FAULTS_A_SECOND = 16, FLOOD_A_SECOND = 1024 };

void iommu_wait(const volatile void *word, uint32_t bits, uint32_t value) {
	uint64_t end = clock_now() + ANSWER_US * clock_ticks_per_us();

	while ((*(const volatile uint32_t *)word & bits) != value) {
		if (clock_now() > end)
			panic("iommu: a unit does not answer (iommu=off starts without)");
		cpu_relax();
	}
}

void iommu_put(struct iommu_queue *queue, uint64_t low, uint64_t high) {
	queue->commands[2 * queue->tail] = low;
	queue->commands[2 * queue->tail + 1] = high;
	queue->tail = (queue->tail + 1) % QUEUE_COMMANDS;
}

// Memory that firmware has devices use

uint32_t iommu_pci_read(unsigned device, unsigned at) {
	io_out32(PCI_PORT_ADDRESS, pci_port_address(device, at & (PCI_SPACE - 1)));
	return io_in32(PCI_PORT_DATA);
}

// Bridges on the way say which bus is behind them.
unsigned iommu_device(const struct iommu_scope *scope) {
	unsigned device = (unsigned)scope->bus << 8 | scope->path[0];

	for (unsigned i = 1; i < scope->hops; i++)
		device = (iommu_pci_read(device, PCI_REGISTER_SECONDARY_BUS) & 0xff00) |
			scope->path[i];
	return device;
}

// The entry of a page, with tables on the way.
static uint64_t *reach(uint64_t *table, uint64_t address, iommu_take *take) {
	const struct iommu *iommu = this_cpu()->platform->iommu;

	for (unsigned level = iommu->levels; level > 1; level--) {
		uint64_t *entry = paging_entry(table, address, level);

		if (paging_is_free(*entry))
			*entry = iommu_table_entry(iommu, physical_of(take(PAGE_SIZE)), level - 1);
		table = physical_pointer(paging_target(*entry, 1));
	}
	return paging_entry(table, address, 1);
}

void iommu_keep(const struct iommu_range *range, iommu_take *take) {
	struct iommu *iommu = this_cpu()->platform->iommu;
	unsigned device = iommu_device(&range->device);
	struct iommu_root root = iommu->root(iommu->device(device));
	uint64_t at = range->memory.start;

	if (iommu->domains <= 2) return print("iommu: too few domains for firmware's memory\n");
	if (!root.table.value) {
		root = (struct iommu_root){physical_of(take(PAGE_SIZE)), --iommu->domains};
		iommu->write_root(iommu->device(device), root);
	}
	for (; at < range->memory.end && at <= iommu->limit; at += PAGE_SIZE)
		*reach(physical_pointer(root.table), at, take) = iommu->page_bits |
			paging_page_entry(
				iommu->paging, physical(at), 1, PAGING_READ_WRITE, 0, false);
	print("iommu: firmware's memory 0x%lx to 0x%lx stays open to device " PCI_FORMAT "\n",
		range->memory.start, at, PCI_WORDS(device));
}

void iommu_started(const char *name, unsigned count, const struct iommu_firmware *firmware) {
	struct iommu *iommu = this_cpu()->platform->iommu;
	unsigned all = firmware->unit_count + firmware->units_lost;

	iommu->is_whole = count == all;
	print("iommu: %s, %u of %u units, %u levels, addresses to 0x%lx, %u domains, pages up to "
	      "level %u\n",
		name, count, all, iommu->levels, iommu->limit, iommu->domains, iommu->largest_page);
}

bool iommu_is_too_much(void) {
	struct iommu *iommu = this_cpu()->platform->iommu;

	if (clock_now() - iommu->second > SECOND_US * clock_ticks_per_us()) {
		iommu->second = clock_now();
		iommu->faults = 0;
	}
	return ++iommu->faults > FAULTS_A_SECOND;
}

bool iommu_is_flood(void) {
	if (this_cpu()->platform->iommu->faults <= FLOOD_A_SECOND) return false;
	print("iommu: a device goes on; no more is reported of its unit until one gets a space\n");
	return true;
}

bool iommu_report(
	unsigned device, bool is_silent, const char *what, uint64_t address, uint64_t reason) {
	bool is_last = iommu_is_too_much();

	if (is_last && is_silent) return false;
	print("iommu: device " PCI_FORMAT " may not %s at 0x%lx, reason %lx%s\n", PCI_WORDS(device),
		what, address & -PAGE_SIZE, reason,
		is_last ? "; no more is reported of it until it gets a space" : "");
	return is_last;
}
