// SPDX-License-Identifier: BSD-2-Clause
// Where PCI is in the guest's address spaces. Macros alone: the source of the DSDT includes this,
// too. Guest RAM ends below all of it (linux.h).
#pragma once

// Memory that BARs may be placed in: below 4 GiB, and above.
#define PCI_MEMORY_BASE 0xc0000000
#define PCI_MEMORY_LAST 0xdfffffff
#define PCI_MEMORY_SIZE 0x20000000
#define PCI_HIGH_MEMORY_BASE 0x800000000
#define PCI_HIGH_MEMORY_LAST 0xbffffffff
#define PCI_HIGH_MEMORY_SIZE 0x400000000

// Configuration registers of bus 0, the only one.
#define PCI_ECAM_BASE 0xe0000000
#define PCI_ECAM_SIZE 0x100000

// Ports that BARs may be placed at: behind those of a PC's own devices.
#define PCI_PORTS_BASE 0x1000
#define PCI_PORTS_LAST 0xffff
#define PCI_PORTS_SIZE 0xf000

// The pins of the I/O APIC that the slots' interrupts lead to: slot n to the pin n modulo 8 of
// these.
#define PCI_PIN_BASE 16
#define PCI_PINS 8
