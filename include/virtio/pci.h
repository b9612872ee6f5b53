// SPDX-License-Identifier: BSD-2-Clause
// Virtio over PCI (virtio 1.2, 4.1): where a function's structures are, and the common one.
#pragma once

#include <virtio/virtio.h>

enum {
	VIRTIO_PCI_VENDOR = 0x1af4, // 4.1.2
	VIRTIO_PCI_TRANSITIONAL = 0x1000, // and more; the type is that of the subsystem
	VIRTIO_PCI_DEVICE = 0x1040, // and the device's type
};

// From the start of a vendor-specific capability (4.1.4).
enum virtio_pci_capability {
	VIRTIO_PCI_CAP_NEXT = 1,
	VIRTIO_PCI_CAP_SIZE = 2,
	VIRTIO_PCI_CAP_KIND = 3,
	VIRTIO_PCI_CAP_BAR = 4,
	VIRTIO_PCI_CAP_OFFSET = 8,
	VIRTIO_PCI_CAP_LENGTH = 12,
	VIRTIO_PCI_CAP_MULTIPLIER = 16, // of VIRTIO_PCI_NOTIFY only
};

enum virtio_pci_kind {
	VIRTIO_PCI_COMMON = 1,
	VIRTIO_PCI_NOTIFY = 2,
	VIRTIO_PCI_ISR = 3,
	VIRTIO_PCI_CONFIG = 4, // of the device's type
	VIRTIO_PCI_ACCESS = 5,
};

// Registers of the common structure (4.1.4.3).
enum virtio_pci_common {
	VIRTIO_PCI_DEVICE_FEATURE_SELECT = 0x00,
	VIRTIO_PCI_DEVICE_FEATURE = 0x04,
	VIRTIO_PCI_DRIVER_FEATURE_SELECT = 0x08,
	VIRTIO_PCI_DRIVER_FEATURE = 0x0c,
	VIRTIO_PCI_CONFIG_VECTOR = 0x10,
	VIRTIO_PCI_QUEUES = 0x12,
	VIRTIO_PCI_STATUS = 0x14,
	VIRTIO_PCI_GENERATION = 0x15,
	VIRTIO_PCI_QUEUE_SELECT = 0x16,
	VIRTIO_PCI_QUEUE_SIZE = 0x18,
	VIRTIO_PCI_QUEUE_VECTOR = 0x1a,
	VIRTIO_PCI_QUEUE_ENABLE = 0x1c,
	VIRTIO_PCI_QUEUE_NOTIFY = 0x1e,
	VIRTIO_PCI_QUEUE_DESCRIPTORS = 0x20,
	VIRTIO_PCI_QUEUE_DRIVER = 0x28,
	VIRTIO_PCI_QUEUE_DEVICE = 0x30,
	VIRTIO_PCI_COMMON_SIZE = 0x38, // what every device has
};

enum virtio_pci_isr {
	VIRTIO_PCI_ISR_QUEUE = 1 << 0,
	VIRTIO_PCI_ISR_CONFIG = 1 << 1,
};

enum {
	VIRTIO_PCI_NO_VECTOR = 0xffff,
};
