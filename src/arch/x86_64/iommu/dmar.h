// SPDX-License-Identifier: BSD-2-Clause
// Intel's remapping units by the ACPI table DMAR (VT-d 8). Pure: all that is read is checked, and
// what is damaged or does not fit is counted.
//
// The folder, in the order to read: which units there are (this file), what drives them (vtd), how
// they are started (vtd_start) and what they report (vtd_fault).
#pragma once

#include <base/bits.h>
#include <cpu/acpi.h>

enum { DMAR_MAX_UNITS = 32, DMAR_MAX_RANGES = 64, DMAR_MAX_HOPS = 6 };

// A device by the way to it: from a bus through bridges, which only their registers lead on from.
struct dmar_scope {
	uint8_t bus;
	uint8_t hops; // 1 at least
	uint8_t path[DMAR_MAX_HOPS]; // device << 3 | function
};

struct dmar {
	bool is_there;
	bool has_interrupts; // firmware lets them be remapped
	unsigned lost; // entries: damaged, too many, of a bridge or another segment
	unsigned unit_count, range_count, ioapic_count;
	struct dmar_unit {
		uint64_t address, size; // of the registers
		unsigned segment;
	} units[DMAR_MAX_UNITS];
	// Memory that firmware has a device use, once a device: whole pages.
	struct dmar_range {
		struct range memory;
		struct dmar_scope device;
	} ranges[DMAR_MAX_RANGES];
	// I/O APICs behind the units of segment 0: what their interrupts come from.
	struct dmar_ioapic {
		uint8_t id; // in the MADT
		struct dmar_scope device;
	} ioapics[ACPI_MAX_IOAPICS];
};

// table: whole and with a right sum, or null.
void dmar_read(struct dmar *dmar, const void *table);
