// SPDX-License-Identifier: BSD-2-Clause
// Which devices an IOMMU can tell apart. Pure.
#pragma once

#include <lib/pci/scan.h>

// The function that the IOMMU takes the device's accesses for: behind a bridge to conventional PCI,
// which has no such numbers, that of the bridge, or of its bus (PCI Express to PCI/PCI-X Bridge
// specification 1.0, 2.3).
[[nodiscard]] uint16_t pci_requester(
	const struct pci_config *config, const struct pci_devices *devices, unsigned index);

// Devices with the same group may reach each other beside the IOMMU: functions of one device, and
// all that is behind one bridge of the root bus. That a bridge or device keeps its own apart (ACS)
// is said in registers that ports do not reach, so none is taken to.
[[nodiscard]] unsigned pci_group(const struct pci_devices *devices, unsigned index);
