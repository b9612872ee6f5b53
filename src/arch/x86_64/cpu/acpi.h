// SPDX-License-Identifier: BSD-2-Clause
// The few facts the kernel needs from ACPI tables: MADT and FADT. Everything read is checked; a
// broken table is as good as none.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ACPI_MAX_IOAPICS 8

struct acpi_facts {
	uint64_t apic; // xAPIC page
	uint32_t ioapic_count;
	uint64_t ioapics[ACPI_MAX_IOAPICS];
	uint16_t timer_port; // PM timer, or 0
};

// rsdp: a copy of the RSDP structure; where it is not valid, one is searched for as BIOSes place it
// and stored there. What no usable table tells has its default in facts.
void acpi_read(struct acpi_facts *facts, uint8_t rsdp[36]);
