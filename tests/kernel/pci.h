// SPDX-License-Identifier: BSD-2-Clause
// Ports, and through them the configuration registers of PCI devices, in tests.
#pragma once

#include "world.h"

#include <pci/pci.h>

uint64_t ports_issue(uint64_t first, uint64_t last);
uint64_t port_in32(uint64_t ports, uint64_t port);
void port_out32(uint64_t ports, uint64_t port, uint64_t value);

// The ports that the next ones use.
uint64_t pci_ports(void);
uint64_t pci_read(uint64_t ports, uint64_t device, uint64_t offset);
void pci_write(uint64_t ports, uint64_t device, uint64_t offset, uint64_t value);
// The first on bus 0 with this device and vendor, as device << 3; the test is skipped, with the
// reason, if there is none.
uint64_t pci_find(uint64_t ports, uint64_t id, const char *reason);
