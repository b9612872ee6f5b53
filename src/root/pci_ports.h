// SPDX-License-Identifier: BSD-2-Clause
// Registers of PCI functions by the two ports. The initial task has the highest priority of the
// core that the PCI component is on, and puts back what that one had written to the address port.
#pragma once

#include <sel4/sel4.h>

#include <lib/pci/config.h>

enum {
	PCI_PORTS_LAST = PCI_PORT_DATA + 3,
};

// By this capability to the ports from now on.
void pci_ports_use(seL4_CPtr ports);

// By one of its own; 0: a component has them already.
[[nodiscard]] seL4_CPtr pci_ports_issue(void);

extern const struct pci_config pci_ports_config;
