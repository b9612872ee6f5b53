// SPDX-License-Identifier: BSD-2-Clause
// The few facts the kernel needs from ACPI tables: MADT, FADT, HPET. Everything read is checked; a
// damaged table counts as absent.
#pragma once

#include <base/compiler.h>

#define ACPI_MAX_IOAPICS 60
#define ACPI_MAX_CORES 64

struct acpi_ioapic {
	uint64_t address;
	uint8_t id;
};

struct acpi_facts {
	// Size bytes at a physical address, or null: the caller's. All else is zero before.
	const void *(*reader)(uint64_t physical, uint64_t size);
	bool has_hidden; // tables that the reader does not reach
	bool has_madt;
	uint32_t core_count; // that are enabled; the first of them have their APIC's id in cores
	uint32_t cores[ACPI_MAX_CORES];
	uint32_t ioapic_count;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	uint16_t timer_port; // PM timer, or 0
	uint64_t hpet; // its page, or 0
	const void *dmar, *ivrs; // tables, or null
};

// rsdp: a copy of the RSDP structure; where it is not valid, one is searched for where BIOSes place
// it and stored there, or zeros. Fields without a usable table stay zero.
void acpi_read(struct acpi_facts *facts, uint8_t rsdp[36]);
