// SPDX-License-Identifier: BSD-2-Clause
// Driving the units: commands, the queue, contexts (VT-d 6, 9.3, 11.4).
#include <iommu/vtd.h>

#include <x86/vtd.h>

enum { CACHE_LINE = 64 };

static void invalidate(physical_t, unsigned domain, uint64_t address) {
	vtd_forget(address == EVERY_PAGE ? VTD_DOMAIN : VTD_PAGE, domain, address);
}

const struct paging_format paging_vtd = {
	.invalidate = invalidate,
	.table = VTD_READ | VTD_WRITE,
	.access = PAGING_ACCESS(VTD_READ, VTD_WRITE),
	.memory = {{0}, {PAGING_LARGE}, {PAGING_LARGE}},
};

// The commands that set a pointer are bits of the status when they are done, the flush of the
// buffer is one while it is not.
void vtd_command(const struct vtd_unit *unit, uint32_t bit, bool on) {
	uint32_t lasting = *vtd_word(unit, VTD_STATUS) & VTD_LASTING;

	*vtd_word(unit, VTD_COMMAND) = on ? lasting | bit : lasting & ~bit;
	iommu_wait(vtd_word(unit, VTD_STATUS), bit, on && bit != VTD_BUFFER_FLUSH ? bit : 0);
}

// What waits in a unit's write buffer is not seen by it before it is flushed (VT-d 6.8).
static void buffer_flush(const struct vtd_unit *unit) {
	if (unit->capability & VTD_CAP_BUFFER) vtd_command(unit, VTD_BUFFER_FLUSH, true);
}

// Lets the unit begin; it answers behind all that was put (VT-d 6.5.2).
static void begin(struct vtd_unit *unit) {
	unit->queue.answer = 0;
	iommu_put(&unit->queue, VTD_QUEUE_WAIT | VTD_QUEUE_ANSWER | 1ul << VTD_QUEUE_WORD_SHIFT,
		physical_of((const void *)&unit->queue.answer).value);
	*vtd_long(unit, VTD_QUEUE_TAIL) = iommu_tail(&unit->queue);
}

// They work side by side.
static void wait_for_all(struct vtd *self) {
	for (unsigned i = 0; i < self->count; i++)
		iommu_wait(&self->units[i].queue.answer, 1, 1);
}

// What is under way when a translation goes is waited for, where the unit can.
static void forget(struct vtd_unit *unit, uint64_t extent, uint64_t domain, uint64_t address) {
	uint64_t drain = unit->capability >> VTD_CAP_DRAIN_SHIFT & VTD_DRAIN;

	buffer_flush(unit);
	if (extent == VTD_ALL)
		iommu_put(&unit->queue, VTD_QUEUE_CONTEXTS | extent << VTD_QUEUE_EXTENT_SHIFT, 0);
	iommu_put(&unit->queue,
		VTD_QUEUE_IOTLB | extent << VTD_QUEUE_EXTENT_SHIFT |
			drain << VTD_QUEUE_DRAIN_SHIFT | domain << VTD_QUEUE_DOMAIN_SHIFT,
		extent == VTD_PAGE ? address : 0);
	begin(unit);
}

void vtd_forget(unsigned extent, unsigned domain, uint64_t address) {
	struct vtd *self = this_vtd();

	for (unsigned i = 0; i < self->count; i++) {
		bool by_page = self->units[i].capability & VTD_CAP_BY_PAGE;

		forget(&self->units[i], extent == VTD_PAGE && !by_page ? VTD_DOMAIN : extent,
			domain, address);
	}
	wait_for_all(self);
}

// Interrupts that an entry let pass have reached their core then (VT-d 5.1.4, 6.5.2.7).
void vtd_forget_interrupts(uint64_t which) {
	struct vtd *self = this_vtd();

	for (unsigned i = 0; i < self->count; i++) {
		buffer_flush(&self->units[i]);
		iommu_put(&self->units[i].queue, VTD_QUEUE_INTERRUPTS | which, 0);
		begin(&self->units[i]);
	}
	wait_for_all(self);
}

// What struct iommu names

static void *entry_of(unsigned device) { return this_vtd()->contexts[device]; }

static struct iommu_root root_of(const void *device) {
	const uint64_t *context = device;

	if (!(context[0] & VTD_PRESENT)) return (struct iommu_root){};
	return (struct iommu_root){physical(context[0] & PAGING_ADDRESS),
		(unsigned)context[1] >> VTD_CONTEXT_DOMAIN_SHIFT};
}

static void publish(const void *start, uint64_t size) {
	const uint8_t *bytes = start;

	for (uint64_t at = 0; at < size && !this_vtd()->is_coherent; at += CACHE_LINE)
		asm volatile("clflush %0" : : "m"(bytes[at]) : "memory");
	asm volatile("mfence" : : : "memory");
}

static void write_root(void *device, struct iommu_root root) {
	volatile uint64_t *context = device;

	context[1] = (uint64_t)root.domain << VTD_CONTEXT_DOMAIN_SHIFT |
		(this_vtd()->iommu.levels - VTD_CONTEXT_LEVELS);
	context[0] = root.table.value ? root.table.value | VTD_PRESENT : 0;
	publish(device, 2 * sizeof(uint64_t));
}

// A unit may read the two halves one after the other: it sees an entry that is not present while
// they do not fit together.
static void set_root(void *device, struct iommu_root root) {
	*(volatile uint64_t *)device = 0;
	publish(device, sizeof(uint64_t));
	vtd_forget(VTD_ALL, 0, 0);
	if (!root.table.value) return;
	this_vtd()->iommu.report_faults(); // those that were left
	write_root(device, root);
	vtd_forget(VTD_ALL, 0, 0);
}

static void entry_added(unsigned domain, uint64_t address, unsigned level) {
	struct vtd *self = this_vtd();
	bool is_kept = false; // that there was nothing (VT-d 6.1)

	for (unsigned i = 0; i < self->count; i++) {
		buffer_flush(&self->units[i]);
		is_kept |= self->units[i].capability & VTD_CAP_CACHING;
	}
	if (is_kept) vtd_forget(level == 1 ? VTD_PAGE : VTD_DOMAIN, domain, address);
}

const struct iommu vtd_iommu = {.paging = &paging_vtd,
	.limit = BIT(48) - 1,
	.domains = IO_SPACE_DOMAIN + 1,
	.device = entry_of,
	.root = root_of,
	.write_root = write_root,
	.set_root = set_root,
	.publish = publish,
	.entry_added = entry_added};
