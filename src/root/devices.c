// SPDX-License-Identifier: BSD-2-Clause
// PCI devices that components drive.
#include <root/devices.h>

#include <base/memory.h>

#include <lib/pci/grants.h>
#include <lib/pci/group.h>

#include <root/group.h>
#include <root/io_space.h>
#include <root/needs.h>
#include <root/passed.h>
#include <root/pci_ports.h>

#include <user/print.h>
#include <user/untyped.h>

// Written by devices_find only.
static struct pci_devices machine;

// Those of the PCI component; where it has its registers in memory no domain has them.
static bool take_ports(const struct system *system) {
	const struct image *image = &system->image;
	seL4_CPtr ports = seL4_CapNull;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_PORTS); i++) {
		const struct system_port *port = &image->ports[i];

		if (port->first <= PCI_PORT_ADDRESS && port->last >= PCI_PORTS_LAST &&
			!system->domains[port->domain].omitted)
			ports = system->ports[i];
	}
	if (!ports) ports = pci_ports_issue();
	pci_ports_use(ports);
	return ports;
}

bool devices_are_confined(const struct system *system) {
	seL4_Word levels = system->bootinfo->numIOPTLevels;

	return levels != 0 && levels != ~0ul;
}

// What the kernel keeps devices from: all of these bits.
static bool iommu_has(const struct system *system, seL4_Word bits) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(system->bootinfo, BOOTINFO_IOMMU);
	seL4_Word found = 0;

	if (chunk) memcpy(&found, chunk + 1, sizeof(found));
	return (found & bits) == bits;
}

bool devices_pass_a_unit(const struct system *system) {
	return devices_are_confined(system) && !iommu_has(system, BOOTINFO_IOMMU_WHOLE);
}

static bool has_owner(const struct system *system, uint32_t index) {
	return system->image.io_spaces[index].owner != SYSTEM_NONE;
}

// The index of the device among the machine's, or PCI_NO_DEVICE.
static int find(const struct system *system, const struct system_io_space *record) {
	const struct system_region *region = &system->image.regions[record->settings];
	struct settings settings = settings_of(
		(uint64_t)(system->image.bytes + region->data_offset), region->data_size);
	const struct pci_grant *grant;
	static struct pci_grants grants;

	// What is wrong with them the PCI component says.
	if (pci_grants_read(&grants, &settings) > 0) return PCI_NO_DEVICE;
	pci_grants_assign(&grants, &machine);
	grant = pci_grant_of(&grants, record->channel, record->number);
	return grant ? grant->index : PCI_NO_DEVICE;
}

// Whether both may be driven although the IOMMU does not keep them apart.
static bool may_share(const struct system *system, uint32_t one, uint32_t other) {
	const struct system_io_space *records = system->image.io_spaces;

	if (records[one].owner == records[other].owner) return true;
	return system->devices[one].requester != system->devices[other].requester &&
		records[one].shares_group && records[other].shares_group;
}

static void check_group(struct system *system, uint32_t index, const unsigned *groups) {
	const struct system_io_space *records = system->image.io_spaces;
	struct device *device = &system->devices[index];

	for (uint32_t i = 0; i < index; i++) {
		const struct device *other = &system->devices[i];

		if (!has_owner(system, i) || !other->found || groups[i] != groups[index] ||
			may_share(system, i, index))
			continue;
		device->found = false;
		needs_omit(system, records[index].owner,
			"its device " PCI_FORMAT " is in one group with " PCI_FORMAT
			" of '%s': the IOMMU does not keep them apart",
			PCI_WORDS(device->function), PCI_WORDS(other->function), records[i].name);
		return;
	}
}

// The memory behind its BARs is mapped in the guest.
static void check_passed(struct system *system, uint32_t index, int found) {
	uint32_t owner = system->image.io_spaces[index].owner;
	struct pci_passed *passed = &system->devices[index].passed;
	uint64_t size = pci_pass(&pci_ports_config, &machine.rows[found], passed);
	seL4_Word missing;

	if (size > SYSTEM_PASSED_WINDOW)
		needs_omit(system, owner, "the registers of " PCI_FORMAT " take %lu MiB of %u",
			PCI_WORDS(machine.rows[found].function), size >> 20,
			SYSTEM_PASSED_WINDOW >> 20);
	for (unsigned bar = 0; bar < PCI_BARS; bar++)
		if (!untyped_covers(
			    passed->bars[bar].address, passed->bars[bar].size, PAGE_BITS, &missing))
			needs_omit(system, owner,
				"BAR %u of " PCI_FORMAT
				" at 0x%lx: this machine has no memory there",
				bar, PCI_WORDS(machine.rows[found].function), missing);
}

static void find_device(struct system *system, uint32_t index, unsigned *groups) {
	const struct system_io_space *record = &system->image.io_spaces[index];
	struct device *device = &system->devices[index];
	int found = find(system, record);

	if (found == PCI_NO_DEVICE && device_is_passed(system, index))
		needs_omit(system, record->owner,
			"this machine has no such device as its guest is to have");
	if (found == PCI_NO_DEVICE) return;
	device->found = true;
	device->function = machine.rows[found].function;
	device->requester = pci_requester(&pci_ports_config, &machine, (unsigned)found);
	groups[index] = pci_group(&machine, (unsigned)found);
	if (devices_are_confined(system)) check_group(system, index, groups);
	if (device_is_passed(system, index)) check_passed(system, index, found);
}

static void require_iommu(struct system *system, uint32_t index) {
	const struct system_io_space *record = &system->image.io_spaces[index];

	if (!has_owner(system, index) || !record->needs_iommu) return;
	if (!devices_are_confined(system))
		needs_omit(system, record->owner,
			"its device needs an IOMMU, and the kernel drives none here");
	else if (devices_pass_a_unit(system))
		needs_omit(system, record->owner,
			"its device needs an IOMMU, of which a unit does not work here");
	else if (device_is_passed(system, index) && !record->any_interrupt &&
		!iommu_has(system, BOOTINFO_IOMMU_INTERRUPTS))
		needs_omit(system, record->owner,
			"its guest's device can raise any interrupt, as none is remapped here "
			"(any_interrupt=\"true\" allows that)");
}

// Without its bounds a device may write anywhere, so its driver is not started.
static void omit_owners(struct system *system) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++) {
		if (has_owner(system, i))
			needs_omit(system, system->image.io_spaces[i].owner,
				"the self-test of the IOMMU failed");
	}
}

void devices_find(struct system *system) {
	unsigned groups[SYSTEM_MAX_DEVICES];
	const struct image *image = &system->image;
	bool scanned = false;

	if (system->faults.iommu) omit_owners(system);
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IO_SPACES); i++) {
		struct device *device = &system->devices[i];
		const struct system_io_space *record = &image->io_spaces[i];

		device->function = device->requester = (uint16_t)record->device;
		device->found = !has_owner(system, i);
		require_iommu(system, i);
		if (device->found || system->domains[record->owner].omitted) continue;
		if (!scanned && !take_ports(system)) {
			print("system: no PCI ports: devices of components are given no memory\n");
			return;
		}
		if (!scanned) pci_scan(&pci_ports_config, &machine);
		scanned = true;
		find_device(system, i, groups);
	}
}

unsigned group_of_device(const struct system *system, uint32_t index) {
	return has_owner(system, index)
		? group_of_domain(system, system->image.io_spaces[index].owner)
		: GROUP_NONE;
}

static bool is_stopped_with(const struct system *system, uint32_t index, uint32_t domain) {
	uint32_t owner = system->image.io_spaces[index].owner;
	unsigned group = group_of_domain(system, domain);

	return has_owner(system, index) && system->devices[index].found &&
		(owner == domain ||
			(group != GROUP_NONE && group_of_domain(system, owner) == group));
}

bool devices_stop(struct system *system, uint32_t domain) {
	bool in_reset = false;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++) {
		struct device *device = &system->devices[i];

		if (!is_stopped_with(system, i, domain)) continue;
		io_space_cut(system, i);
		// Once only: what it is given back afterwards is what it had before.
		if (!device->in_reset) {
			pci_stop(&pci_ports_config, device->function);
			device->in_reset = pci_reset(
				&pci_ports_config, device->function, &device->kept);
		}
		in_reset |= device->in_reset;
	}
	return in_reset;
}

void devices_stop_again(struct system *system, unsigned group) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++)
		if (system->devices[i].found && group_of_device(system, i) == group)
			pci_stop(&pci_ports_config, system->devices[i].function);
}

void devices_ready(struct system *system, unsigned group) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++) {
		struct device *device = &system->devices[i];

		if (!device->in_reset || group_of_device(system, i) != group) continue;
		pci_reset_end(&pci_ports_config, device->function, &device->kept);
		device->in_reset = false;
	}
}
