// SPDX-License-Identifier: BSD-2-Clause
// The common structure of a virtio device on PCI (virtio 1.2, 4.1.4.3). Accesses have the width of
// the field, of a half for those of 64 bits; others read as 0 and write nothing (4.1.3.1).
#pragma once

#include <vmm/virtio/pci.h>

[[nodiscard]] uint32_t virtio_common_read(
	const struct virtio_pci *pci, unsigned offset, enum bus_width width);
void virtio_common_write(
	struct virtio_pci *pci, unsigned offset, enum bus_width width, uint32_t value);
// What the driver selected and set is forgotten, after a reset of the device.
void virtio_common_reset(struct virtio_pci *pci);
