// SPDX-License-Identifier: BSD-2-Clause
// The table DMAR (VT-d 8): units with their I/O APICs, and memory of firmware with its devices. All
// units have the same tables, so which other devices are behind which is of no interest; nor are
// entries of other types, about translation caches in devices, which are not used, and about what
// is near what.
#include <iommu/firmware.h>

#include <abi/object.h>
#include <x86/acpi.h>

// The device at entry; false: it is damaged, or too far away.
static bool scope_read(struct iommu_scope *scope, const struct acpi_dmar_scope *entry) {
	const uint8_t *path = (const uint8_t *)(entry + 1);
	unsigned size = entry->length - (unsigned)sizeof(*entry);

	if (size < 2 || size % 2 || size > 2 * IOMMU_MAX_HOPS) return false;
	*scope = (struct iommu_scope){entry->bus, (uint8_t)(size / 2), {}};
	for (unsigned i = 0; i < size; i += 2) {
		if (path[i] > 31 || path[i + 1] > 7) return false;
		scope->path[i / 2] = (uint8_t)(path[i] << 3 | path[i + 1]);
	}
	return true;
}

// It uses the memory, or is a unit's.
static bool device_read(struct iommu_firmware *firmware, const struct acpi_dmar_scope *entry,
	const struct range *memory) {
	struct iommu_ioapic *ioapic = &firmware->ioapics[firmware->ioapic_count];
	struct iommu_scope device;

	if (memory)
		return entry->type == DMAR_ENDPOINT && scope_read(&device, entry) &&
			firmware_add_range(firmware, *memory, device);
	if (entry->type != DMAR_IOAPIC) return true;
	if (firmware->ioapic_count == ACPI_MAX_IOAPICS || !scope_read(&ioapic->device, entry))
		return false;
	ioapic->id = entry->id;
	firmware->ioapic_count++;
	return true;
}

// The devices that an entry names behind its first bytes.
static bool devices_read(struct iommu_firmware *firmware, const struct acpi_iommu_entry *entry,
	unsigned at, const struct range *memory) {
	const struct acpi_dmar_scope *next;

	for (; at + sizeof(*next) <= entry->length; at += next->length) {
		next = (const void *)((const uint8_t *)entry + at);
		if (next->length < sizeof(*next) || at + next->length > entry->length ||
			!device_read(firmware, next, memory))
			return false;
	}
	return at == entry->length;
}

static bool unit_read(struct iommu_firmware *firmware, const struct acpi_iommu_entry *entry) {
	const struct acpi_dmar_unit *unit = (const void *)entry;
	struct iommu_unit found = {};

	if (entry->length >= sizeof(*unit))
		found = (struct iommu_unit){.address = unit->address,
			.size = BIT(PAGE_BITS) << (unit->size & 15),
			.segment = unit->segment};
	return firmware_add_unit(firmware, found) &&
		(found.segment || devices_read(firmware, entry, sizeof(*unit), NULL));
}

static bool entry_read(struct iommu_firmware *firmware, const struct acpi_iommu_entry *entry) {
	const struct acpi_dmar_reserved *reserved = (const void *)entry;

	if (entry->type == DMAR_UNIT) return unit_read(firmware, entry);
	if (entry->type == DMAR_RESERVED)
		return entry->length >= sizeof(*reserved) && !reserved->segment &&
			devices_read(firmware, entry, sizeof(*reserved),
				&(struct range){reserved->first, reserved->last + 1});
	return true;
}

void dmar_read(struct iommu_firmware *firmware, const void *table) {
	const struct acpi_dmar *header = table;

	*firmware = (struct iommu_firmware){};
	if (!table) return;
	firmware->has_interrupts = header->flags & DMAR_INTERRUPTS;
	firmware_read(firmware, table, sizeof(*header), entry_read);
}
