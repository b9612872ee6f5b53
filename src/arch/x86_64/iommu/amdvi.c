// SPDX-License-Identifier: BSD-2-Clause
// Driving the units: commands, device entries (48882 2.2.2, 2.4).
#include <iommu/amdvi.h>

#include <x86/amdvi.h>

static void invalidate(physical_t, unsigned domain, uint64_t address) {
	amdvi_forget(0, domain, address);
}

// A unit ignores the bit of large pages: it knows them by their level (48882 2.2.3).
static const struct paging_format paging_amdvi = {
	.invalidate = invalidate,
	.table = AMDVI_PRESENT | AMDVI_READ | AMDVI_WRITE,
	.table_memory = 7 << AMDVI_LEVEL_SHIFT,
	.access = PAGING_ACCESS(AMDVI_PRESENT | AMDVI_READ, AMDVI_WRITE),
	.memory = {{0}, {PAGING_LARGE}, {PAGING_LARGE}},
};

void amdvi_forget(uint64_t command, unsigned domain, uint64_t address) {
	struct amdvi *self = this_amdvi();

	for (unsigned i = 0; i < self->count; i++) {
		struct iommu_queue *queue = &self->units[i].queue;

		queue->answer = 0;
		if (command) iommu_put(queue, command, 0);
		iommu_put(queue, AMDVI_FORGET_PAGES | (uint64_t)domain << AMDVI_FORGET_DOMAIN_SHIFT,
			address == EVERY_PAGE ? AMDVI_EVERY_PAGE : address);
		iommu_put(queue, AMDVI_WAIT | physical_of((const void *)&queue->answer).value, 1);
		*amdvi_long(&self->units[i], AMDVI_COMMAND_TAIL) = iommu_tail(queue);
	}
	// They work side by side.
	for (unsigned i = 0; i < self->count; i++)
		iommu_wait(&self->units[i].queue.answer, 1, 1);
}

// What struct iommu names

static void *entry_of(unsigned device) { return this_amdvi()->devices[device]; }

static struct iommu_root root_of(const void *device) {
	const uint64_t *entry = device;

	return (struct iommu_root){physical(entry[0] & PAGING_ADDRESS), entry[1] & AMDVI_DOMAIN};
}

static void write_root(void *device, struct iommu_root root) {
	volatile uint64_t *entry = device;

	entry[1] = (entry[1] & ~(AMDVI_DOMAIN | AMDVI_SILENT)) | root.domain;
	entry[0] = !root.table.value ? AMDVI_BLOCKED
				     : root.table.value | AMDVI_BLOCKED | AMDVI_READ | AMDVI_WRITE |
			AMDVI_LEVELS << AMDVI_LEVEL_SHIFT;
}

// A unit may read the words one after the other: it sees a blocked device while they do not fit
// together.
static void set_root(void *device, struct iommu_root root) {
	uint64_t number = (uint64_t)((uint64_t(*)[4])device - this_amdvi()->devices);
	unsigned before = root_of(device).domain;

	*(volatile uint64_t *)device = AMDVI_BLOCKED;
	amdvi_forget(AMDVI_FORGET_DEVICE | number, before, EVERY_PAGE);
	if (root.table.value) this_amdvi()->iommu.report_faults(); // those that were left
	write_root(device, root);
	amdvi_forget(AMDVI_FORGET_DEVICE | number, root.domain, EVERY_PAGE);
}

// Units read through the caches, and see stores in their order.
static void publish(const void *, uint64_t) { asm volatile("" : : : "memory"); }

static void entry_added(unsigned domain, uint64_t address, unsigned level) {
	if (this_amdvi()->caches_absent) amdvi_forget(0, domain, level == 1 ? address : EVERY_PAGE);
}

const struct iommu amdvi_iommu = {.paging = &paging_amdvi,
	.page_bits = AMDVI_FORCE_COHERENT,
	.limit = BIT(48) - 1,
	.levels = AMDVI_LEVELS,
	.largest_page = 3,
	.domains = IO_SPACE_DOMAIN + 1,
	.device = entry_of,
	.root = root_of,
	.set_root = set_root,
	.write_root = write_root,
	.publish = publish,
	.entry_added = entry_added};
