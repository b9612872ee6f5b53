// SPDX-License-Identifier: BSD-2-Clause
// A virtio device on the guest's PCI bus (virtio 1.2, 4.1); modern interface only.
#pragma once

#include <vmm/pci/function.h>
#include <vmm/virtio/device.h>

enum { VIRTIO_PCI_MOST_QUEUES = PCI_MSIX_VECTORS - 1 };

struct virtio_pci {
	struct pci_function function;
	struct virtio_device *device;
	// What the driver has selected and set.
	uint32_t device_select, driver_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint16_t vectors[VIRTIO_PCI_MOST_QUEUES]; // of queues
	uint8_t isr;
	uint8_t access; // offset of the capability to access BARs by registers
};

// Describes the function of a device that has at most VIRTIO_PCI_MOST_QUEUES queues, and becomes
// its transport.
void virtio_pci_init(struct virtio_pci *pci, struct virtio_device *device);
// Resets the device; the host bridge resets the function.
void virtio_pci_reset(struct virtio_pci *pci);
