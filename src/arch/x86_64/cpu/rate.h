// SPDX-License-Identifier: BSD-2-Clause
// The rate of the TSC and of the APIC's timer, by all that counts or states one.
#pragma once

#include <cpu/acpi.h>

struct rates {
	uint64_t tsc; // hertz; 0 where nothing tells it
	uint64_t apic; // ticks of the APIC's timer a TSC tick, 32.32 fixed point; 0: unknown
};

// Measures, compares with what CPU and hypervisor state, and says how far each is from what is
// believed. option_hertz: the TSC's rate if somebody says it, or 0. Boot only.
struct rates rates_find(const struct acpi_facts *acpi, uint64_t option_hertz);
