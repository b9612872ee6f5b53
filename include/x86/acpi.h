// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables (ACPI specification 6.4, chapter 5; IA-PC HPET 1.0a, 3.2.4), at any address.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };

struct [[gnu::packed, gnu::may_alias]] acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
};

_Static_assert(sizeof(struct acpi_header) == 36);

struct [[gnu::packed, gnu::may_alias]] acpi_rsdp {
	char signature[8];
	uint8_t checksum; // of the first 20 bytes
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
};

_Static_assert(sizeof(struct acpi_rsdp) == 36);

struct [[gnu::packed, gnu::may_alias]] acpi_address {
	uint8_t space;
	uint8_t bit_width, bit_offset;
	uint8_t access;
	uint64_t address;
};

_Static_assert(sizeof(struct acpi_address) == 12);

struct [[gnu::packed, gnu::may_alias]] acpi_fadt {
	struct acpi_header header;
	uint32_t firmware_control;
	uint32_t dsdt;
	uint8_t reserved_1;
	uint8_t profile;
	// Fixed hardware, absent on a hardware-reduced platform.
	uint8_t legacy_1[30];
	uint32_t timer_port;
	uint8_t legacy_2[28];
	uint8_t century;
	uint16_t boot_flags;
	uint8_t reserved_2;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor_version;
	uint64_t extended_firmware_control;
	uint64_t extended_dsdt;
	struct acpi_address legacy_3[8];
	struct acpi_address sleep_control;
	struct acpi_address sleep_status;
	char hypervisor[8];
};

_Static_assert(offsetof(struct acpi_fadt, timer_port) == 76);
_Static_assert(offsetof(struct acpi_fadt, century) == 108);
_Static_assert(offsetof(struct acpi_fadt, flags) == 112);
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244);
_Static_assert(sizeof(struct acpi_fadt) == 276);

struct [[gnu::packed, gnu::may_alias]] acpi_hpet {
	struct acpi_header header;
	uint32_t capabilities;
	struct acpi_address address;
};

// Where registers of PCI functions are in memory (PCI Firmware specification 3.2, 4.1.2).
struct [[gnu::packed, gnu::may_alias]] acpi_pci_space {
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved;
};

struct [[gnu::packed, gnu::may_alias]] acpi_mcfg {
	struct acpi_header header;
	uint64_t reserved;
	struct acpi_pci_space space; // the first of any number
};

_Static_assert(sizeof(struct acpi_mcfg) == 36 + 8 + 16);

struct [[gnu::packed, gnu::may_alias]] acpi_madt_header {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
};

enum madt_type { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };

enum { MADT_ENABLED = 1 << 0 }; // of a core's flags

// What follows the header of a MADT.
struct [[gnu::packed, gnu::may_alias]] acpi_madt_entry {
	uint8_t type, length;
};

struct [[gnu::packed, gnu::may_alias]] acpi_madt_core {
	struct acpi_madt_entry entry;
	uint8_t processor, id;
	uint32_t flags;
};

struct [[gnu::packed, gnu::may_alias]] acpi_madt_x2apic {
	struct acpi_madt_entry entry;
	uint16_t reserved;
	uint32_t id;
	uint32_t flags;
	uint32_t processor;
};

struct [[gnu::packed, gnu::may_alias]] acpi_madt_ioapic {
	struct acpi_madt_entry entry;
	uint8_t id, reserved;
	uint32_t address;
	uint32_t first_interrupt;
};

// An interrupt of the ISA bus that does not come to the pin of its number.
struct [[gnu::packed, gnu::may_alias]] acpi_madt_override {
	struct acpi_madt_entry entry;
	uint8_t bus, source;
	uint32_t interrupt;
	uint16_t flags;
};

_Static_assert(sizeof(struct acpi_madt_override) == 10);

// What tables about units that remap DMA have behind their header. AMD's type has 8 bits
// (48882 5.2).
struct [[gnu::packed, gnu::may_alias]] acpi_iommu_entry {
	uint16_t type, length;
};

// Intel's (VT-d 8): entries, and in them the devices they are about.
struct [[gnu::packed, gnu::may_alias]] acpi_dmar {
	struct acpi_header header;
	uint8_t address_width;
	uint8_t flags, reserved[10];
};

_Static_assert(sizeof(struct acpi_dmar) == 48);

enum { DMAR_INTERRUPTS = 1 << 0 }; // of the flags: units remap interrupts, too

enum dmar_type { DMAR_UNIT = 0, DMAR_RESERVED = 1 };

struct [[gnu::packed, gnu::may_alias]] acpi_dmar_unit {
	struct acpi_iommu_entry entry;
	uint8_t flags;
	uint8_t size; // of its registers: 2^(bits 3:0) pages
	uint16_t segment;
	uint64_t address;
};

_Static_assert(sizeof(struct acpi_dmar_unit) == 16);

struct [[gnu::packed, gnu::may_alias]] acpi_dmar_reserved {
	struct acpi_iommu_entry entry;
	uint16_t reserved;
	uint16_t segment;
	uint64_t first, last; // bytes
};

_Static_assert(sizeof(struct acpi_dmar_reserved) == 24);

enum dmar_scope_type { DMAR_ENDPOINT = 1, DMAR_BRIDGE = 2, DMAR_IOAPIC = 3 };

// A device: the way to it through bridges follows, a device and a function each.
struct [[gnu::packed, gnu::may_alias]] acpi_dmar_scope {
	uint8_t type, length;
	uint16_t reserved;
	uint8_t id; // of an I/O APIC, as in the MADT
	uint8_t bus;
};

_Static_assert(sizeof(struct acpi_dmar_scope) == 6);
