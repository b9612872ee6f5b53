// SPDX-License-Identifier: BSD-2-Clause
// From firmware's description to units that let nothing pass (VT-d 11.4.4).
#include <iommu/vtd.h>

#include <cpu/apic.h>
#include <cpu/segments.h>
#include <x86/apic.h>
#include <x86/vtd.h>

enum { BUSES = 256, BUS_DEVICES = 256, LEVELS_LEAST = 3, LEVELS_MOST = 5, ENTRIES = 256 };

// Takes a unit into the list, if it answers like one, and what it can into what all can.
static void unit_add(struct vtd *self, const struct iommu_unit *found, uint64_t *all) {
	struct vtd_unit *unit = &self->units[self->count];
	uint64_t extended, domains;

	unit->page = physical_pointer(physical(found->address));
	unit->segment = found->segment;
	unit->capability = found->size ? *vtd_long(unit, VTD_CAPABILITY) : ~0ul;
	extended = found->size ? *vtd_long(unit, VTD_EXTENDED) : 0;
	if (unit->capability == ~0ul || !(extended & VTD_EXT_QUEUE) ||
		vtd_fault_end(unit->capability) > found->size)
		return print(
			"iommu: no unit with a queue at %lx: devices behind it reach ALL memory\n",
			found->address);
	self->count++;
	all[0] &= unit->capability;
	all[1] &= extended;
	self->iommu.limit &= bits_mask((unit->capability >> VTD_CAP_WIDTH_SHIFT & 63) + 1);
	domains = BIT(4 + 2 * (unit->capability & VTD_CAP_DOMAINS));
	if (domains < self->iommu.domains) self->iommu.domains = (unsigned)domains;
}

// What all units can, by both capability registers. False: they have no tables in common.
static bool abilities_find(struct vtd *self, const uint64_t *all) {
	struct iommu *iommu = &self->iommu;

	iommu->levels = LEVELS_LEAST;
	while (!(all[0] >> (VTD_CAP_LEVELS_SHIFT + iommu->levels - VTD_CONTEXT_LEVELS) & 1))
		if (++iommu->levels > LEVELS_MOST) return false;
	iommu->limit &= bits_mask(paging_shift(iommu->levels + 1));
	iommu->page_bits = all[1] & VTD_EXT_SNOOP ? VTD_SNOOP : 0;
	iommu->largest_page = all[0] >> VTD_CAP_PAGES_SHIFT & 1 ? 2 : 1;
	if (iommu->largest_page == 2 && all[0] >> VTD_CAP_PAGES_SHIFT & 2) iommu->largest_page = 3;
	self->is_coherent = all[1] & VTD_EXT_COHERENT;
	return self->count > 0;
}

// Firmware may have a unit on already: what it lets pass ends with the new root. Its faults come to
// this core as interrupts.
static void unit_start(struct vtd_unit *unit, const void *root, iommu_take *take) {
	vtd_command(unit, VTD_QUEUE_ON, false);
	unit->queue.commands = take(PAGE_SIZE);
	*vtd_long(unit, VTD_QUEUE_TAIL) = 0;
	*vtd_long(unit, VTD_QUEUE) = physical_of(unit->queue.commands).value;
	vtd_command(unit, VTD_QUEUE_ON, true);
	*vtd_long(unit, VTD_ROOT) = physical_of(root).value;
	vtd_command(unit, VTD_ROOT_SET, true);
	*vtd_word(unit, VTD_FAULT_STATUS) = *vtd_word(unit, VTD_FAULT_STATUS);
	*vtd_word(unit, VTD_FAULT_DATA) = VECTOR_IOMMU;
	*vtd_word(unit, VTD_FAULT_ADDRESS) = MESSAGE_ADDRESS |
		(apic_id() & 0xff) << MESSAGE_TARGET_SHIFT;
	*vtd_word(unit, VTD_FAULT_ADDRESS_HIGH) = apic_id() & ~0xffu;
	*vtd_word(unit, VTD_FAULT_CONTROL) = 0;
}

// Every bus has its contexts. Devices of other PCI segments, which have no numbers here, find an
// empty root.
static void units_start(struct vtd *self, iommu_take *take) {
	uint64_t *root = take(PAGE_SIZE), *empty = take(PAGE_SIZE);

	for (unsigned bus = 0; bus < BUSES; bus++)
		root[2 * bus] = physical_of(self->contexts[bus * BUS_DEVICES]).value | VTD_PRESENT;
	caches_flush();
	for (unsigned i = 0; i < self->count; i++)
		unit_start(&self->units[i], self->units[i].segment ? empty : root, take);
	vtd_forget(VTD_ALL, 0, 0);
	for (unsigned i = 0; i < self->count; i++) {
		vtd_command(&self->units[i], VTD_TRANSLATION, true);
		// Ranges that firmware protected until now would stay closed.
		if (self->units[i].capability & VTD_CAP_PROTECTED)
			*vtd_word(&self->units[i], VTD_PROTECTED) = 0;
	}
}

// Interrupts

static void sources_find(struct platform *platform, const struct iommu_firmware *firmware) {
	for (unsigned i = 0; i < platform->ioapic_count; i++) {
		struct ioapic *ioapic = &platform->ioapics[i];

		for (unsigned j = 0; j < firmware->ioapic_count; j++)
			if (firmware->ioapics[j].id == ioapic->id)
				ioapic->source = iommu_device(&firmware->ioapics[j].device);
		if (ioapic->source == IOMMU_ANY_DEVICE)
			print("iommu: ioapic %u is no unit's: ANY device can raise its pins\n", i);
	}
}

// All units or none: which one is before a device is not known. Devices of other segments find
// empty entries behind the others.
static void interrupts_start(struct vtd *self, const struct iommu_firmware *firmware,
	uint64_t extended, iommu_take *take) {
	self->is_wide = !this_cpu()->apic_page && extended & VTD_EXT_WIDE;
	if (!self->iommu.is_whole || !(extended & VTD_EXT_INTERRUPTS) || !firmware->has_interrupts)
		return print("iommu: interrupts are not remapped: devices can raise ANY\n");
	sources_find(this_cpu()->platform, firmware);
	self->entries = take(2 * ENTRIES * sizeof(*self->entries));
	self->iommu.publish(self->entries, 2 * ENTRIES * sizeof(*self->entries));
	for (unsigned i = 0; i < self->count; i++) {
		const struct vtd_unit *unit = &self->units[i];

		*vtd_long(unit, VTD_ENTRIES) =
			physical_of(self->entries[unit->segment ? ENTRIES : 0]).value |
			VTD_ENTRIES_256 | (self->is_wide ? VTD_ENTRIES_WIDE : 0);
		vtd_command(unit, VTD_ENTRIES_SET, true);
	}
	vtd_forget_interrupts(0);
	for (unsigned i = 0; i < self->count; i++) {
		vtd_command(&self->units[i], VTD_COMPATIBLE, false);
		vtd_command(&self->units[i], VTD_INTERRUPTS, true);
	}
	self->iommu.set_interrupt = vtd_set_interrupt;
	self->iommu.message = MESSAGE_ADDRESS | MESSAGE_REMAPPED | MESSAGE_BY_DATA;
	self->iommu.last_target = self->is_wide ? UINT32_MAX - 1 : UINT8_MAX - 1;
	print("iommu: interrupts are remapped, to APIC ids up to %u\n", self->iommu.last_target);
}

bool vtd_start(const struct iommu_firmware *firmware, iommu_take *take) {
	struct vtd *self = take(align_up(sizeof(*self), PAGE_SIZE));
	struct iommu *iommu = &self->iommu;
	uint64_t all[2] = {~0ul, ~0ul};

	*iommu = vtd_iommu;
	iommu->report_faults = vtd_report_faults;
	for (unsigned i = 0; i < firmware->unit_count; i++)
		unit_add(self, &firmware->units[i], all);
	if (!abilities_find(self, all)) return false;
	self->contexts = take(BUSES * BUS_DEVICES * sizeof(*self->contexts));
	this_cpu()->platform->iommu = iommu;
	for (unsigned i = 0; i < firmware->range_count; i++)
		iommu_keep(&firmware->ranges[i], take);
	units_start(self, take);
	iommu_started("VT-d", self->count, firmware);
	interrupts_start(self, firmware, all[1], take);
	return true;
}
