// SPDX-License-Identifier: BSD-2-Clause
// The driver's side of virtio over PCI. Registers of 64 bits are written in halves (4.1.3.1).
#include <lib/virtio/transport.h>

#include <lib/virtio/registers.h>
#include <virtio/pci.h>

enum {
	RESET_LOOKS = 100000, // of the status, each an access to the device
	CONFIG_LOOKS = 8,
};

static uint32_t common_read(
	const struct virtio_transport *transport, enum virtio_pci_common offset, unsigned width) {
	return virtio_read(transport->places.common + offset, width);
}

static void common_write(const struct virtio_transport *transport, enum virtio_pci_common offset,
	unsigned width, uint32_t value) {
	virtio_write(transport->places.common + offset, width, value);
}

static void common_write64(
	const struct virtio_transport *transport, enum virtio_pci_common offset, uint64_t value) {
	virtio_write(transport->places.common + offset, 4, (uint32_t)value);
	virtio_write(transport->places.common + offset + 4, 4, (uint32_t)(value >> 32));
}

static void set_status(const struct virtio_transport *transport, uint32_t status) {
	common_write(transport, VIRTIO_PCI_STATUS, 1, status);
}

static uint32_t status_of(const struct virtio_transport *transport) {
	return common_read(transport, VIRTIO_PCI_STATUS, 1);
}

// The device stops its DMA; it says so by a status of 0 (2.4.2).
static bool reset(const struct virtio_transport *transport) {
	set_status(transport, 0);
	for (unsigned i = 0; i < RESET_LOOKS; i++)
		if (status_of(transport) == 0) return true;
	return false;
}

static uint64_t offered(const struct virtio_transport *transport) {
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		common_write(transport, VIRTIO_PCI_DEVICE_FEATURE_SELECT, 4, half);
		features |= (uint64_t)common_read(transport, VIRTIO_PCI_DEVICE_FEATURE, 4)
			<< 32 * half;
	}
	return features;
}

static void accept(const struct virtio_transport *transport, uint64_t features) {
	for (uint32_t half = 0; half < 2; half++) {
		common_write(transport, VIRTIO_PCI_DRIVER_FEATURE_SELECT, 4, half);
		common_write(
			transport, VIRTIO_PCI_DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * half));
	}
}

// 3.1.1, steps 1 to 6.
bool virtio_begin(const struct virtio_transport *transport, uint64_t needed, uint64_t wanted,
	uint64_t *agreed) {
	const uint32_t known = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
	uint64_t features;

	if (!reset(transport)) return false;
	set_status(transport, VIRTIO_ACKNOWLEDGE);
	set_status(transport, known);
	features = offered(transport);
	if ((features & needed) != needed) {
		set_status(transport, VIRTIO_FAILED);
		return false;
	}
	*agreed = features & (needed | wanted);
	accept(transport, *agreed);
	set_status(transport, known | VIRTIO_FEATURES_OK);
	return status_of(transport) == (known | VIRTIO_FEATURES_OK);
}

bool virtio_queue_start(const struct virtio_transport *transport,
	const struct virtio_queue_place *place, uint64_t *notify) {
	uint32_t offset;

	common_write(transport, VIRTIO_PCI_QUEUE_SELECT, 2, place->number);
	if (common_read(transport, VIRTIO_PCI_QUEUE_SIZE, 2) < place->size) return false;
	offset = common_read(transport, VIRTIO_PCI_QUEUE_NOTIFY, 2);
	if ((uint64_t)offset * transport->places.notify_multiplier + sizeof(uint16_t) >
		transport->places.notify_length)
		return false;
	*notify = transport->places.notify + (uint64_t)offset * transport->places.notify_multiplier;
	common_write(transport, VIRTIO_PCI_QUEUE_SIZE, 2, place->size);
	common_write(transport, VIRTIO_PCI_QUEUE_VECTOR, 2, VIRTIO_PCI_NO_VECTOR);
	common_write64(transport, VIRTIO_PCI_QUEUE_DESCRIPTORS, place->descriptors);
	common_write64(transport, VIRTIO_PCI_QUEUE_DRIVER, place->driver);
	common_write64(transport, VIRTIO_PCI_QUEUE_DEVICE, place->device);
	common_write(transport, VIRTIO_PCI_QUEUE_ENABLE, 2, 1);
	return true;
}

void virtio_run(const struct virtio_transport *transport) {
	set_status(transport, status_of(transport) | VIRTIO_DRIVER_OK);
}

static uint32_t generation(const struct virtio_transport *transport) {
	return common_read(transport, VIRTIO_PCI_GENERATION, 1);
}

// 2.5.3: a change while it is read changes the generation. Fields are read in their own width,
// those of 64 bits in halves (4.1.3.1).
bool virtio_config_read64(
	const struct virtio_transport *transport, unsigned offset, uint64_t *value) {
	uint64_t place = transport->places.config + offset;

	if (offset + sizeof(*value) > transport->places.config_length) return false;
	for (unsigned look = 0; look < CONFIG_LOOKS; look++) {
		uint32_t before = generation(transport);

		*value = virtio_read(place, 4) | (uint64_t)virtio_read(place + 4, 4) << 32;
		if (generation(transport) == before) return true;
	}
	return false;
}

uint32_t virtio_interrupt(const struct virtio_transport *transport) {
	return virtio_read(transport->places.isr, 1);
}

bool virtio_is_broken(const struct virtio_transport *transport) {
	return status_of(transport) & VIRTIO_NEEDS_RESET;
}
