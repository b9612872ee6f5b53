// SPDX-License-Identifier: BSD-2-Clause
// The table IVRS (48882 5.2): units, what their devices' entries are to have, and memory of
// firmware with its devices. All units have the same device table, so which devices are behind
// which is of no interest. A unit is described more than once for readers of different age: a
// setting that stands in one description only counts.
#include <iommu/firmware.h>

#include <x86/ivrs.h>
#include <x86/amdvi.h>

// Those that change no entry take no room.
static bool devices_add(struct iommu_firmware *firmware, struct iommu_devices devices) {
	if (devices.first > devices.last) return false;
	if (!devices.settings && !devices.has_alias) return true;
	if (firmware->devices_count == IOMMU_MAX_DEVICES) return false;
	firmware->devices[firmware->devices_count++] = devices;
	return true;
}

// Bytes of an entry, of which so many are left; 0: it is damaged.
static unsigned device_length(const struct acpi_ivrs_device *entry, unsigned left) {
	unsigned length = 0;

	if (entry->type < IVRS_LENGTHS)
		length = 4u << (entry->type >> 6);
	else if (entry->type == IVRS_NAMED && left >= sizeof(*entry))
		length = (unsigned)sizeof(*entry) + entry->name_length;
	return length <= left ? length : 0;
}

// range: one that has begun; else its first is behind its last.
static bool device_read(struct iommu_firmware *firmware, const struct acpi_ivrs_device *entry,
	struct iommu_devices *range) {
	bool has_alias = entry->type == IVRS_ALIAS || entry->type == IVRS_ALIAS_RANGE;
	uint16_t device = entry->type == IVRS_SPECIAL ? entry->other : entry->device;
	struct iommu_devices devices = {
		device, device, has_alias, entry->settings, has_alias ? entry->other : 0};

	if (entry->type == IVRS_ALL)
		devices = (struct iommu_devices){.last = UINT16_MAX, .settings = entry->settings};
	if (ivrs_is_range(entry->type)) {
		*range = devices;
		return true;
	}
	if (entry->type == IVRS_END) {
		devices = *range;
		if (range->first <= range->last) devices.last = entry->device;
		*range = (struct iommu_devices){.first = 1};
	} else if (!ivrs_is_known(entry->type))
		return true; // padding, too
	return devices_add(firmware, devices);
}

static bool unit_read(struct iommu_firmware *firmware, const struct acpi_ivrs_unit *unit) {
	unsigned at = unit->type == IVRS_UNIT ? sizeof(*unit) : IVRS_UNIT_WIDE_SIZE;
	struct iommu_devices range = {.first = 1};
	struct iommu_unit found = {};
	unsigned step;

	if (unit->length >= at)
		found = (struct iommu_unit){unit->address, AMDVI_REGISTERS, unit->segment,
			unit->device, unit->capability, unit->flags};
	if (!firmware_add_unit(firmware, found)) return false;
	if (unit->segment) return true; // as its devices have no numbers here
	for (; at + 4 <= unit->length; at += step) {
		const void *entry = (const uint8_t *)unit + at;

		step = device_length(entry, unit->length - at);
		if (!step) return false;
		firmware->lost += !device_read(firmware, entry, &range);
	}
	return at == unit->length && range.first > range.last;
}

static bool range_add(struct iommu_firmware *firmware, struct range memory, unsigned device) {
	return firmware_add_range(firmware, memory,
		(struct iommu_scope){(uint8_t)(device >> 8), 1, {(uint8_t)device}});
}

// Also for the one as which a device makes its requests, which the unit's entry before has said.
static bool memory_read(struct iommu_firmware *firmware, const struct acpi_ivrs_memory *entry) {
	unsigned last = entry->type == IVRS_MEMORY_RANGE ? entry->last : entry->first;
	struct range memory = {entry->start, entry->start + entry->size};
	bool fits = entry->type != IVRS_MEMORY_ALL && !entry->segment && entry->first <= last;

	for (unsigned device = entry->first; fits && device <= last; device++) {
		fits = range_add(firmware, memory, device);
		for (unsigned i = 0; i < firmware->devices_count; i++) {
			const struct iommu_devices *some = &firmware->devices[i];

			if (some->has_alias && some->first <= device && device <= some->last)
				fits &= range_add(firmware, memory, some->alias);
		}
	}
	return fits;
}

static bool entry_read(struct iommu_firmware *firmware, const struct acpi_iommu_entry *entry) {
	unsigned type = entry->type & 0xff;

	if (type == IVRS_UNIT || type == IVRS_UNIT_WIDE || type == IVRS_UNIT_NAMES)
		return unit_read(firmware, (const void *)entry);
	if (type < IVRS_MEMORY_ALL || type > IVRS_MEMORY_RANGE) return true;
	return entry->length >= sizeof(struct acpi_ivrs_memory) &&
		memory_read(firmware, (const void *)entry);
}

void ivrs_read(struct iommu_firmware *firmware, const void *table) {
	*firmware = (struct iommu_firmware){.is_amd = true};
	firmware_read(firmware, table, sizeof(struct acpi_ivrs), entry_read);
}
