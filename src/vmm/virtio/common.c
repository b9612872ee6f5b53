// SPDX-License-Identifier: BSD-2-Clause
// The common structure.
#include <vmm/virtio/common.h>

#include <vmm/virtio/queue.h>

#include <virtio/pci.h>

// Widths of the fields, where they begin.
static const uint8_t widths[VIRTIO_PCI_COMMON_SIZE] = {
	[VIRTIO_PCI_DEVICE_FEATURE_SELECT] = 4,
	[VIRTIO_PCI_DEVICE_FEATURE] = 4,
	[VIRTIO_PCI_DRIVER_FEATURE_SELECT] = 4,
	[VIRTIO_PCI_DRIVER_FEATURE] = 4,
	[VIRTIO_PCI_CONFIG_VECTOR] = 2,
	[VIRTIO_PCI_QUEUES] = 2,
	[VIRTIO_PCI_STATUS] = 1,
	[VIRTIO_PCI_GENERATION] = 1,
	[VIRTIO_PCI_QUEUE_SELECT] = 2,
	[VIRTIO_PCI_QUEUE_SIZE] = 2,
	[VIRTIO_PCI_QUEUE_VECTOR] = 2,
	[VIRTIO_PCI_QUEUE_ENABLE] = 2,
	[VIRTIO_PCI_QUEUE_NOTIFY] = 2,
	[VIRTIO_PCI_QUEUE_DESCRIPTORS] = 4,
	[VIRTIO_PCI_QUEUE_DESCRIPTORS + 4] = 4,
	[VIRTIO_PCI_QUEUE_DRIVER] = 4,
	[VIRTIO_PCI_QUEUE_DRIVER + 4] = 4,
	[VIRTIO_PCI_QUEUE_DEVICE] = 4,
	[VIRTIO_PCI_QUEUE_DEVICE + 4] = 4,
};

// Which of the areas an offset behind all others belongs to, and which half of its address.
static enum virtqueue_area area_of(unsigned offset) {
	return (enum virtqueue_area)((offset - VIRTIO_PCI_QUEUE_DESCRIPTORS) / sizeof(uint64_t));
}

static unsigned half_shift(unsigned offset) { return offset % sizeof(uint64_t) * 8; }

static uint32_t queue_read(const struct virtio_pci *pci, unsigned offset) {
	const struct virtqueue *queue = virtio_queue(pci->device, pci->queue_select);

	if (!queue) return 0;
	switch (offset) {
	case VIRTIO_PCI_QUEUE_SIZE: return queue->size;
	case VIRTIO_PCI_QUEUE_VECTOR: return pci->vectors[pci->queue_select];
	case VIRTIO_PCI_QUEUE_ENABLE: return queue->enabled;
	case VIRTIO_PCI_QUEUE_NOTIFY: return 0;
	default: return (uint32_t)(queue->addresses[area_of(offset)] >> half_shift(offset));
	}
}

uint32_t virtio_common_read(const struct virtio_pci *pci, unsigned offset, enum bus_width width) {
	const struct virtio_device *device = pci->device;

	if (widths[offset] != width) return 0;
	switch (offset) {
	case VIRTIO_PCI_DEVICE_FEATURE_SELECT: return pci->device_select;
	case VIRTIO_PCI_DEVICE_FEATURE: return virtio_offered(device, pci->device_select);
	case VIRTIO_PCI_DRIVER_FEATURE_SELECT: return pci->driver_select;
	case VIRTIO_PCI_DRIVER_FEATURE: return virtio_accepted(device, pci->driver_select);
	case VIRTIO_PCI_CONFIG_VECTOR: return pci->config_vector;
	case VIRTIO_PCI_QUEUES: return device->queue_count;
	case VIRTIO_PCI_STATUS: return device->status;
	case VIRTIO_PCI_GENERATION: return device->generation;
	case VIRTIO_PCI_QUEUE_SELECT: return pci->queue_select;
	default: return queue_read(pci, offset);
	}
}

// A vector that the function does not have cannot be set: the driver reads that back.
static uint16_t valid_vector(const struct virtio_pci *pci, uint32_t vector) {
	return vector < pci->function.msix.vectors ? (uint16_t)vector : VIRTIO_PCI_NO_VECTOR;
}

static void queue_write(struct virtio_pci *pci, unsigned offset, uint32_t value) {
	struct virtqueue *queue = virtio_queue(pci->device, pci->queue_select);
	enum virtqueue_area area;
	uint64_t kept;

	if (!queue) return;
	switch (offset) {
	case VIRTIO_PCI_QUEUE_SIZE: virtqueue_set_size(queue, (uint16_t)value); return;
	case VIRTIO_PCI_QUEUE_VECTOR:
		pci->vectors[pci->queue_select] = valid_vector(pci, value);
		return;
	case VIRTIO_PCI_QUEUE_ENABLE:
		if (value == 1) virtqueue_enable(queue);
		return;
	case VIRTIO_PCI_QUEUE_NOTIFY: return;
	default: break;
	}
	area = area_of(offset);
	kept = queue->addresses[area] & ~((uint64_t)UINT32_MAX << half_shift(offset));
	virtqueue_set_address(queue, area, kept | (uint64_t)value << half_shift(offset));
}

static void status_write(struct virtio_pci *pci, uint8_t status) {
	virtio_set_status(pci->device, status);
	if (status == 0) virtio_common_reset(pci);
}

void virtio_common_write(
	struct virtio_pci *pci, unsigned offset, enum bus_width width, uint32_t value) {
	if (widths[offset] != width) return;
	switch (offset) {
	case VIRTIO_PCI_DEVICE_FEATURE_SELECT: pci->device_select = value; return;
	case VIRTIO_PCI_DRIVER_FEATURE_SELECT: pci->driver_select = value; return;
	case VIRTIO_PCI_DRIVER_FEATURE:
		virtio_accept(pci->device, pci->driver_select, value);
		return;
	case VIRTIO_PCI_CONFIG_VECTOR: pci->config_vector = valid_vector(pci, value); return;
	case VIRTIO_PCI_STATUS: status_write(pci, (uint8_t)value); return;
	case VIRTIO_PCI_QUEUE_SELECT: pci->queue_select = (uint16_t)value; return;
	case VIRTIO_PCI_DEVICE_FEATURE:
	case VIRTIO_PCI_QUEUES:
	case VIRTIO_PCI_GENERATION: return;
	default: queue_write(pci, offset, value);
	}
}

void virtio_common_reset(struct virtio_pci *pci) {
	pci->device_select = 0;
	pci->driver_select = 0;
	pci->queue_select = 0;
	pci->config_vector = VIRTIO_PCI_NO_VECTOR;
	for (unsigned i = 0; i < VIRTIO_PCI_MOST_QUEUES; i++)
		pci->vectors[i] = VIRTIO_PCI_NO_VECTOR;
	pci->isr = 0;
	pci_interrupt(&pci->function, false);
}
