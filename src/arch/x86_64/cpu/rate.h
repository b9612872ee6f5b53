// SPDX-License-Identifier: BSD-2-Clause
// The TSC's rate, by all that counts or states it.
#pragma once

#include <cpu/acpi.h>

struct tsc_rate {
	uint64_t hertz; // 0: unknown
	uint64_t apic; // ticks of the APIC's timer a TSC tick, 32.32 fixed point; 0: unknown
};

// Measures, compares with what CPU and hypervisor state, and prints what comes of it. option_hertz:
// the rate that the command line gives, or 0.
struct tsc_rate rate_find(const struct acpi_facts *acpi, uint64_t option_hertz);
