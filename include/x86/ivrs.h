// SPDX-License-Identifier: BSD-2-Clause
// The ACPI table IVRS, about AMD's units that remap DMA (48882 5.2), at any address.
#pragma once

#include <x86/acpi.h>

// Behind it there are blocks, of units and of memory, and in those of units the devices behind
// them.
struct [[gnu::packed, gnu::may_alias]] acpi_ivrs {
	struct acpi_header header;
	uint32_t information;
	uint8_t reserved[8];
};

_Static_assert(sizeof(struct acpi_ivrs) == 48);

enum ivrs_type {
	IVRS_UNIT = 0x10,
	IVRS_UNIT_WIDE = 0x11, // with a longer header, as the next
	IVRS_UNIT_NAMES = 0x40,
	IVRS_MEMORY_ALL = 0x20,
	IVRS_MEMORY_ONE = 0x21,
	IVRS_MEMORY_RANGE = 0x22,
};

struct [[gnu::packed, gnu::may_alias]] acpi_ivrs_unit {
	uint8_t type, flags;
	uint16_t length;
	uint16_t device; // the unit itself
	uint16_t capability; // the place of its block in the registers
	uint64_t address;
	uint16_t segment;
	uint16_t information;
	uint32_t features;
};

_Static_assert(sizeof(struct acpi_ivrs_unit) == 24);

enum { IVRS_UNIT_WIDE_SIZE = 40 };

// A device behind a unit. The upper two bits of the type are log2 of its words of 4 bytes, but of
// the last ones; of those known one has a name, of any length.
struct [[gnu::packed, gnu::may_alias]] acpi_ivrs_device {
	uint8_t type;
	uint16_t device;
	uint8_t settings; // what the device's entry is to have
	uint8_t reserved;
	uint16_t other; // of an alias: as which it makes requests; of a special one: which it is
	uint8_t name[14];
	uint8_t name_length; // behind
};

_Static_assert(sizeof(struct acpi_ivrs_device) == 22);

enum ivrs_device_type {
	IVRS_PADDING = 0,
	IVRS_ALL = 1,
	IVRS_SELECT = 2,
	IVRS_RANGE = 3, // up to an end
	IVRS_END = 4,
	IVRS_ALIAS = 0x42,
	IVRS_ALIAS_RANGE = 0x43,
	IVRS_EXTENDED = 0x46,
	IVRS_EXTENDED_RANGE = 0x47,
	IVRS_SPECIAL = 0x48, // I/O APIC, HPET
	IVRS_LENGTHS = 0x80, // below types have lengths
	IVRS_NAMED = 0xf0,
};

// Begins a range; or is of devices all the same.
static inline int ivrs_is_range(unsigned type) {
	return type == IVRS_RANGE || type == IVRS_ALIAS_RANGE || type == IVRS_EXTENDED_RANGE;
}

static inline int ivrs_is_known(unsigned type) {
	return ivrs_is_range(type) || type == IVRS_ALL || type == IVRS_SELECT ||
		type == IVRS_ALIAS || type == IVRS_EXTENDED || type == IVRS_SPECIAL ||
		type == IVRS_NAMED;
}

// Settings of a device.
enum {
	IVRS_PASS = 0xc7, // interrupts that pass: LINT1, LINT0, NMI, external, INIT
	IVRS_MANAGEMENT_SHIFT = 4, // two bits: messages of system management
};

struct [[gnu::packed, gnu::may_alias]] acpi_ivrs_memory {
	uint8_t type, flags;
	uint16_t length;
	uint16_t first, last; // devices; of one the first
	uint16_t segment;
	uint8_t reserved[6];
	uint64_t start, size;
};

_Static_assert(sizeof(struct acpi_ivrs_memory) == 32);
