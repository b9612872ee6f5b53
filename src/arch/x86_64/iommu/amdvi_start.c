// SPDX-License-Identifier: BSD-2-Clause
// From firmware's description to units that let nothing pass (48882 2.2.2, 3.2, 3.4, 5.2).
#include <iommu/amdvi.h>

#include <cpu/apic.h>
#include <cpu/segments.h>
#include <pci/pci.h>
#include <x86/ivrs.h>
#include <x86/amdvi.h>
#include <x86/apic.h>

typedef uint64_t device_table[AMDVI_DEVICE_COUNT][4];

static void pci_write(unsigned device, unsigned at, uint32_t value) {
	io_out32(PCI_PORT_ADDRESS, pci_port_address(device, at & 0xff));
	io_out32(PCI_PORT_DATA, value);
}

// A unit is a device itself: its events come to this core as messages.
static void message_set(unsigned device) {
	unsigned at = iommu_pci_read(device, PCI_REGISTER_CAPABILITIES) & PCI_CAPABILITY_PLACE;
	uint32_t header = iommu_pci_read(device, at);

	for (unsigned i = 0; i < PCI_CAPABILITIES_MOST && (header & 0xff) != PCI_CAPABILITY_MSI;
		i++) {
		at = header >> 8 & PCI_CAPABILITY_PLACE;
		header = iommu_pci_read(device, at);
	}
	if ((header & 0xff) != PCI_CAPABILITY_MSI || apic_id() >= UINT8_MAX)
		return print("iommu: a unit cannot interrupt: what devices try is not reported\n");
	pci_write(
		device, at + PCI_MSI_ADDRESS, MESSAGE_ADDRESS | apic_id() << MESSAGE_TARGET_SHIFT);
	pci_write(device, at + PCI_MSI_HIGH_ADDRESS, 0);
	pci_write(device, at + PCI_MSI_DATA, VECTOR_IOMMU);
	pci_write(device, at, (header & ~(PCI_MSI_COUNT << 16)) | PCI_MSI_ENABLE << 16);
}

// Takes a unit into the list, if it answers like one, and what it can into what all can. Registers
// of those in other segments are out of reach; their devices stay blocked for good.
static void unit_add(struct amdvi *self, const struct iommu_unit *found) {
	struct amdvi_unit *unit = &self->units[self->count];
	uint32_t header = AMDVI_CAPABILITY_IOMMU;

	unit->page = physical_pointer(physical(found->address));
	unit->segment = found->segment;
	if (!found->segment) header = iommu_pci_read(found->device, found->capability);
	if (!found->size || (header & AMDVI_CAPABILITY_KIND) != AMDVI_CAPABILITY_IOMMU ||
		*amdvi_long(unit, AMDVI_CONTROL) == ~0ul)
		return print("iommu: no unit answers at %lx: devices behind it reach ALL memory\n",
			found->address);
	self->count++;
	self->forgets_all &= header & AMDVI_HAS_FEATURES &&
		*amdvi_long(unit, AMDVI_FEATURES) & AMDVI_FORGETS_ALL;
	unit->control = amdvi_control(found->flags);
	if (found->segment) return;
	self->caches_absent |= header & AMDVI_CACHES_ABSENT;
	self->iommu.limit &= bits_mask(
		iommu_pci_read(found->device, found->capability + AMDVI_CAPABILITY_WIDTHS) >>
			AMDVI_WIDTH_SHIFT &
		127);
	message_set(found->device);
}

// Every device is blocked.
static void *devices_make(iommu_take *take) {
	uint64_t(*devices)[4] = take(sizeof(device_table));

	for (unsigned i = 0; i < AMDVI_DEVICE_COUNT; i++)
		devices[i][0] = AMDVI_BLOCKED;
	return devices;
}

static void devices_set(const struct amdvi *self, const struct iommu_devices *some) {
	uint64_t management = some->settings >> IVRS_MANAGEMENT_SHIFT & 3;
	uint64_t pass = some->settings & IVRS_PASS;

	for (unsigned i = some->first; i <= some->last + (unsigned)some->has_alias; i++) {
		uint64_t *entry = self->devices[i <= some->last ? i : some->alias];

		entry[1] |= management << AMDVI_MANAGEMENT_SHIFT;
		entry[2] |= pass << AMDVI_PASS_SHIFT;
	}
}

// Firmware may have a unit on already: what it lets pass ends with the new table, and it lets pass
// no more until then.
static void unit_start(struct amdvi_unit *unit, const void *devices, iommu_take *take) {
	*amdvi_long(unit, AMDVI_CONTROL) &= AMDVI_ON;
	*amdvi_long(unit, AMDVI_CONTROL) |= unit->control | AMDVI_COHERENT;
	iommu_wait(amdvi_long(unit, AMDVI_STATUS), AMDVI_COMMANDS_RUN | AMDVI_EVENTS_RUN, 0);
	unit->queue.commands = take(PAGE_SIZE);
	unit->events = take(PAGE_SIZE);
	*amdvi_long(unit, AMDVI_DEVICES) = physical_of(devices).value |
		(sizeof(device_table) / PAGE_SIZE - 1);
	*amdvi_long(unit, AMDVI_COMMANDS) = physical_of(unit->queue.commands).value |
		AMDVI_PAGE_OF_ENTRIES;
	*amdvi_long(unit, AMDVI_EVENTS) = physical_of(unit->events).value | AMDVI_PAGE_OF_ENTRIES;
	for (unsigned at = AMDVI_COMMAND_HEAD; at <= AMDVI_EVENT_TAIL; at += sizeof(uint64_t))
		*amdvi_long(unit, at) = 0;
	*amdvi_long(unit, AMDVI_EXCLUSION) = 0; // where all devices would pass
	*amdvi_long(unit, AMDVI_STATUS) = AMDVI_EVENTS_LOST | AMDVI_EVENT_CAME;
	*amdvi_long(unit, AMDVI_CONTROL) = unit->control | AMDVI_ON | AMDVI_EVENTS_ON |
		AMDVI_EVENT_INTERRUPT | AMDVI_COHERENT | AMDVI_COMMANDS_ON;
}

// What firmware had the units keep: by one command, or for each device and domain.
static void forget_all(const struct amdvi *self) {
	if (self->forgets_all) return amdvi_forget(AMDVI_FORGET_ALL, 0, EVERY_PAGE);
	for (unsigned i = 0; i < AMDVI_DEVICE_COUNT; i++)
		amdvi_forget(AMDVI_FORGET_DEVICE | i, i, EVERY_PAGE);
}

bool amdvi_start(const struct iommu_firmware *firmware, iommu_take *take) {
	struct amdvi *self = take(align_up(sizeof(*self), PAGE_SIZE));
	const void *blocked = NULL;

	self->iommu = amdvi_iommu;
	self->iommu.report_faults = amdvi_report_faults;
	self->forgets_all = true;
	for (unsigned i = 0; i < firmware->unit_count; i++)
		unit_add(self, &firmware->units[i]);
	if (!self->count) return false;
	self->devices = devices_make(take);
	for (unsigned i = 0; i < firmware->devices_count; i++)
		devices_set(self, &firmware->devices[i]);
	this_cpu()->platform->iommu = &self->iommu;
	for (unsigned i = 0; i < firmware->range_count; i++)
		iommu_keep(&firmware->ranges[i], take);
	self->iommu.publish(self->devices, sizeof(device_table));
	for (unsigned i = 0; i < self->count; i++) {
		if (self->units[i].segment && !blocked) blocked = devices_make(take);
		unit_start(&self->units[i], self->units[i].segment ? blocked : self->devices, take);
	}
	forget_all(self);
	iommu_started("AMD-Vi", self->count, firmware);
	print("iommu: interrupts are not remapped: devices can raise ANY\n");
	return true;
}
