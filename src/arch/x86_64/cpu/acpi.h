// SPDX-License-Identifier: BSD-2-Clause
// The few facts the kernel needs from ACPI tables: MADT and FADT. Everything read is checked; a
// broken table is as good as none.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	ACPI_MAX_IOAPICS = 8,
};

struct acpi_ioapic {
	uint64_t physical;
	uint32_t first_interrupt; // global system interrupt of pin 0
	uint8_t id;
};

struct acpi_facts {
	uint64_t apic; // xAPIC page
	uint32_t core_count; // usable cores
	uint32_t ioapic_count;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	uint16_t timer_port; // PM timer, or 0
};

// rsdp: a copy of the RSDP structure, or null to search for one as BIOSes place it; the one found
// is stored in found (36 bytes). False, with defaults in facts, if there is no usable MADT.
bool acpi_read(struct acpi_facts *facts, const uint8_t *rsdp, uint8_t found[36]);
