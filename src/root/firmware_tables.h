// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables of the machine (ACPI 6.4, 5.2), before anything is built.
#pragma once

#include <sel4/sel4.h>
#include <x86/acpi.h>

struct firmware_table {
	seL4_Word address;
	const struct acpi_header *header; // null: it cannot be read, or its sum is wrong
};

// How many tables the root table has; 0 without one.
unsigned firmware_table_count(const seL4_BootInfo *bootinfo);
struct firmware_table firmware_table_at(const seL4_BootInfo *bootinfo, unsigned index);

// The first with this signature and at least so many bytes, or null.
const void *firmware_table_find(
	const seL4_BootInfo *bootinfo, const char *signature, seL4_Word least);
