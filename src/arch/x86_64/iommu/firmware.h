// SPDX-License-Identifier: BSD-2-Clause
// What firmware says of units that remap DMA, of any maker. Pure: all that is read is checked,
// and what is damaged or does not fit is counted.
//
// The folder, in the order to read: which units there are (this file; dmar for Intel's, ivrs for
// AMD's), what all drivers do (common), what drives Intel's units (vtd), how they are started
// (vtd_start), what they report (vtd_fault) and which interrupts pass (vtd_interrupt); likewise
// AMD's (amdvi, amdvi_start, amdvi_event).
#pragma once

#include <base/bits.h>
#include <cpu/acpi.h>

enum { IOMMU_MAX_UNITS = 32, IOMMU_MAX_RANGES = 64, IOMMU_MAX_HOPS = 6, IOMMU_MAX_DEVICES = 128 };

// A device by the way to it: from a bus through bridges, which only their registers lead on from.
struct iommu_scope {
	uint8_t bus;
	uint8_t hops; // 1 at least
	uint8_t path[IOMMU_MAX_HOPS]; // device << 3 | function
};

struct iommu_firmware {
	unsigned lost; // entries: damaged, too many, of a bridge or another segment
	unsigned units_lost; // of them, units, or what may be one
	unsigned unit_count, range_count, ioapic_count;
	bool has_interrupts; // firmware lets them be remapped
	bool is_amd;
	unsigned devices_count;
	struct iommu_unit {
		uint64_t address, size; // of the registers
		unsigned segment;
		// Of AMD's: its number as a device, the place of its capability, what it wants.
		uint16_t device, capability;
		uint8_t flags;
	} units[IOMMU_MAX_UNITS];
	// Memory that firmware has a device use, once a device: whole pages.
	struct iommu_range {
		struct range memory;
		struct iommu_scope device;
	} ranges[IOMMU_MAX_RANGES];
	// I/O APICs behind the units of segment 0: what their interrupts come from.
	struct iommu_ioapic {
		uint8_t id; // in the MADT
		struct iommu_scope device;
	} ioapics[ACPI_MAX_IOAPICS];
	// AMD's: devices whose entries have settings, or that make their requests as another.
	struct iommu_devices {
		uint16_t first, last;
		bool has_alias;
		uint8_t settings;
		uint16_t alias;
	} devices[IOMMU_MAX_DEVICES];
};

// What Intel's table DMAR says (VT-d 8). table: whole and with a right sum, or null.
void dmar_read(struct iommu_firmware *firmware, const void *table);

// What AMD's table IVRS says (48882 5.2). table: whole and with a right sum.
void ivrs_read(struct iommu_firmware *firmware, const void *table);

// For those who read a table

struct acpi_iommu_entry;

// An entry, which is not shorter than its header; false: it is not used.
typedef bool iommu_read_entry(
	struct iommu_firmware *firmware, const struct acpi_iommu_entry *entry);

// All entries of a table from an offset on, of which each has its length in its second word.
void firmware_read(
	struct iommu_firmware *firmware, const void *table, unsigned start, iommu_read_entry *read);

// False: it is damaged, as one without an address, or there is no room; such units are counted. One
// that is there already is not added.
[[nodiscard]] bool firmware_add_unit(struct iommu_firmware *firmware, struct iommu_unit unit);
[[nodiscard]] bool firmware_add_range(
	struct iommu_firmware *firmware, struct range memory, struct iommu_scope device);
