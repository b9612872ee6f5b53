// SPDX-License-Identifier: BSD-2-Clause
// What tables of all makers have alike.
#include <iommu/firmware.h>

#include <abi/object.h>
#include <x86/acpi.h>

void firmware_read(struct iommu_firmware *firmware, const void *table, unsigned start,
	iommu_read_entry *read) {
	const struct acpi_header *header = table;
	const struct acpi_iommu_entry *entry;
	uint64_t at = start;

	for (; at + sizeof(*entry) <= header->length; at += entry->length) {
		entry = (const void *)((const uint8_t *)table + at);
		if (entry->length < sizeof(*entry) || at + entry->length > header->length) break;
		firmware->lost += !read(firmware, entry);
	}
	firmware->lost += at != header->length;
	firmware->units_lost += at != header->length; // what is behind is not known
}

bool firmware_add_unit(struct iommu_firmware *firmware, struct iommu_unit unit) {
	for (unsigned i = 0; i < firmware->unit_count; i++)
		if (firmware->units[i].address == unit.address) return true;
	if (firmware->unit_count == IOMMU_MAX_UNITS || !unit.address ||
		!is_aligned(unit.address, BIT(PAGE_BITS))) {
		firmware->units_lost++;
		return false;
	}
	firmware->units[firmware->unit_count++] = unit;
	return true;
}

bool firmware_add_range(
	struct iommu_firmware *firmware, struct range memory, struct iommu_scope device) {
	if (firmware->range_count == IOMMU_MAX_RANGES || memory.start >= memory.end ||
		!is_aligned(memory.start | memory.end, BIT(PAGE_BITS)))
		return false;
	firmware->ranges[firmware->range_count++] = (struct iommu_range){memory, device};
	return true;
}
