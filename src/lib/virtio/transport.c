// SPDX-License-Identifier: BSD-2-Clause
// The driver's side of virtio over PCI. Registers of 64 bits are written in halves (4.1.3.1).
#include <lib/virtio/transport.h>

#include <base/memory.h>

#include <lib/virtio/registers.h>
#include <virtio/pci.h>

enum {
	RESET_LOOKS = 100000, // of the status, each an access to the device
	CONFIG_LOOKS = 8,
};

static uint32_t common_read(
	const struct virtio_places *places, enum virtio_pci_common offset, unsigned width) {
	return virtio_read(places->common + offset, width);
}

static void common_write(const struct virtio_places *places, enum virtio_pci_common offset,
	unsigned width, uint32_t value) {
	virtio_write(places->common + offset, width, value);
}

static void common_write64(
	const struct virtio_places *places, enum virtio_pci_common offset, uint64_t value) {
	virtio_write(places->common + offset, 4, (uint32_t)value);
	virtio_write(places->common + offset + 4, 4, (uint32_t)(value >> 32));
}

static void set_status(const struct virtio_places *places, uint32_t status) {
	common_write(places, VIRTIO_PCI_STATUS, 1, status);
}

static uint32_t status_of(const struct virtio_places *places) {
	return common_read(places, VIRTIO_PCI_STATUS, 1);
}

// A status of 0 says so (2.4.2).
bool virtio_stop(const struct virtio_places *places) {
	set_status(places, 0);
	for (unsigned i = 0; i < RESET_LOOKS; i++)
		if (status_of(places) == 0) return true;
	return false;
}

static uint64_t offered(const struct virtio_places *places) {
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		common_write(places, VIRTIO_PCI_DEVICE_FEATURE_SELECT, 4, half);
		features |= (uint64_t)common_read(places, VIRTIO_PCI_DEVICE_FEATURE, 4)
			<< 32 * half;
	}
	return features;
}

static void accept(const struct virtio_places *places, uint64_t features) {
	for (uint32_t half = 0; half < 2; half++) {
		common_write(places, VIRTIO_PCI_DRIVER_FEATURE_SELECT, 4, half);
		common_write(
			places, VIRTIO_PCI_DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * half));
	}
}

// 3.1.1, steps 1 to 6.
bool virtio_begin(
	const struct virtio_places *places, uint64_t needed, uint64_t wanted, uint64_t *agreed) {
	const uint32_t known = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
	uint64_t features;

	if (!virtio_stop(places)) return false;
	set_status(places, VIRTIO_ACKNOWLEDGE);
	set_status(places, known);
	features = offered(places);
	// A device behind an IOMMU may work for none that does not know it (6.1). Addresses are the
	// memory's own there, too.
	wanted |= VIRTIO_F_ACCESS_PLATFORM;
	if ((features & needed) != needed) {
		set_status(places, VIRTIO_FAILED);
		return false;
	}
	*agreed = features & (needed | wanted);
	accept(places, *agreed);
	set_status(places, known | VIRTIO_FEATURES_OK);
	return status_of(places) == (known | VIRTIO_FEATURES_OK);
}

bool virtio_queue_start(
	const struct virtio_places *places, struct virtio_queue *queue, uint64_t paddr) {
	uint64_t offset;

	common_write(places, VIRTIO_PCI_QUEUE_SELECT, 2, queue->number);
	if (common_read(places, VIRTIO_PCI_QUEUE_SIZE, 2) < queue->size) return false;
	offset = (uint64_t)common_read(places, VIRTIO_PCI_QUEUE_NOTIFY, 2) *
		places->notify_multiplier;
	if (offset + sizeof(uint16_t) > places->notify_length) return false;
	queue->notify = places->notify + offset;
	common_write(places, VIRTIO_PCI_QUEUE_SIZE, 2, queue->size);
	common_write(places, VIRTIO_PCI_QUEUE_VECTOR, 2, VIRTIO_PCI_NO_VECTOR);
	common_write64(places, VIRTIO_PCI_QUEUE_DESCRIPTORS, paddr);
	common_write64(
		places, VIRTIO_PCI_QUEUE_DRIVER, paddr + virtio_queue_available(queue->size));
	common_write64(places, VIRTIO_PCI_QUEUE_DEVICE, paddr + virtio_queue_used(queue->size));
	common_write(places, VIRTIO_PCI_QUEUE_ENABLE, 2, 1);
	return true;
}

void virtio_run(const struct virtio_places *places) {
	set_status(places, status_of(places) | VIRTIO_DRIVER_OK);
}

static uint32_t generation(const struct virtio_places *places) {
	return common_read(places, VIRTIO_PCI_GENERATION, 1);
}

// 2.5.3: a change while it is read changes the generation.
bool virtio_config_read(const struct virtio_places *places, unsigned offset, unsigned width,
	void *fields, size_t bytes) {
	if (offset + bytes > places->config_length) return false;
	for (unsigned look = 0; look < CONFIG_LOOKS; look++) {
		uint32_t before = generation(places);

		for (size_t i = 0; i < bytes; i += width) {
			uint32_t value = virtio_read(places->config + offset + i, width);

			memcpy((uint8_t *)fields + i, &value, width);
		}
		if (generation(places) == before) return true;
	}
	return false;
}

uint32_t virtio_interrupt(const struct virtio_places *places) {
	return virtio_read(places->isr, 1);
}

bool virtio_is_broken(const struct virtio_places *places) {
	return status_of(places) & VIRTIO_NEEDS_RESET;
}
