// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables of the virtual machine: a hardware-reduced platform with one CPU, an I/O APIC, a
// serial port and a clock. Pure.
#pragma once

#include <vmm/host/memory.h>

#define ACPI_ADDRESS 0xe0000ull

// Writes the tables and gives the guest address of the root pointer. False when RAM ends below
// them.
[[nodiscard]] bool acpi_build(const struct guest_memory *memory, uint64_t *rsdp);
