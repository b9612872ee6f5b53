// SPDX-License-Identifier: BSD-2-Clause
// The PCI transport: one memory BAR with all structures and the MSI-X table; and one port for
// notifications, which costs the guest's monitor less than memory, as there is nothing to decode.
#include <vmm/virtio/pci.h>

#include <vmm/virtio/common.h>

#include <base/memory.h>
#include <virtio/pci.h>

enum {
	MEMORY_BAR = 0,
	MEMORY_SIZE = 0x4000,
	COMMON_OFFSET = 0,
	ISR_OFFSET = 0x800,
	CONFIG_OFFSET = 0x1000,
	CONFIG_SIZE = 0x1000,
	NOTIFY_OFFSET = 0x2000,
	MSIX_OFFSET = 0x3000,
	PORT_BAR = 2,
	PORTS = 4,
	NOTIFY_SIZE = 4,
	CLASS_OTHER = 0x00ff,
	REVISION = 1, // or above (4.1.2.1)
};

// A vendor-specific capability; `more` is that of VIRTIO_PCI_NOTIFY and VIRTIO_PCI_ACCESS: what is
// read from the place that bar, offset and length name, or written there.
struct structure {
	uint8_t header[2];
	uint8_t size;
	uint8_t kind;
	uint8_t bar;
	uint8_t id[3];
	uint32_t offset, length;
	uint32_t more;
};
_Static_assert(offsetof(struct structure, more) == VIRTIO_PCI_CAP_MULTIPLIER);

static struct virtio_pci *transport_of(void *device) { return device; }

static void raise(struct virtio_pci *pci, uint16_t vector, uint8_t cause) {
	if (pci_uses_messages(&pci->function)) {
		// VIRTIO_PCI_NO_VECTOR is none of them.
		pci_message(&pci->function, vector);
		return;
	}
	pci->isr |= cause;
	pci_interrupt(&pci->function, true);
}

static void queue_interrupt(void *context, unsigned queue) {
	struct virtio_pci *pci = context;

	raise(pci, pci->vectors[queue], VIRTIO_PCI_ISR_QUEUE);
}

static void config_interrupt(void *context) {
	struct virtio_pci *pci = context;

	raise(pci, pci->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

// Reading it ends the interrupt (4.1.4.5).
static uint8_t take_isr(struct virtio_pci *pci) {
	uint8_t isr = pci->isr;

	pci->isr = 0;
	pci_interrupt(&pci->function, false);
	return isr;
}

static uint64_t transport_read(void *device, unsigned bar, uint64_t offset, enum bus_width width) {
	struct virtio_pci *pci = transport_of(device);
	uint64_t value = 0;

	if (bar != MEMORY_BAR) return 0;
	if (offset - COMMON_OFFSET < VIRTIO_PCI_COMMON_SIZE)
		return virtio_common_read(pci, (unsigned)offset - COMMON_OFFSET, width);
	if (offset == ISR_OFFSET) return take_isr(pci);
	if (offset >= CONFIG_OFFSET && offset < CONFIG_OFFSET + CONFIG_SIZE)
		virtio_config_read(pci->device, offset - CONFIG_OFFSET, &value, width);
	return value;
}

static void transport_write(
	void *device, unsigned bar, uint64_t offset, enum bus_width width, uint64_t value) {
	struct virtio_pci *pci = transport_of(device);

	if (bar == PORT_BAR || (offset >= NOTIFY_OFFSET && offset < NOTIFY_OFFSET + NOTIFY_SIZE))
		virtio_notify(pci->device, (uint16_t)value);
	else if (offset - COMMON_OFFSET < VIRTIO_PCI_COMMON_SIZE)
		virtio_common_write(pci, (unsigned)offset - COMMON_OFFSET, width, (uint32_t)value);
	else if (offset >= CONFIG_OFFSET && offset < CONFIG_OFFSET + CONFIG_SIZE)
		virtio_config_write(pci->device, offset - CONFIG_OFFSET, &value, width);
}

// The capability's registers are the driver's to write: any BAR, offset and length (4.1.4.9).
static bool access_wanted(
	const struct virtio_pci *pci, unsigned offset, struct structure *capability) {
	const uint32_t *words = &pci->function.words[pci->access / 4];

	if (offset != pci->access + offsetof(struct structure, more)) return false;
	memcpy(capability, words, sizeof(*capability));
	return capability->length == 1 || capability->length == 2 || capability->length == 4;
}

static void register_read(void *device, unsigned offset) {
	struct virtio_pci *pci = transport_of(device);
	struct structure wanted;

	if (access_wanted(pci, offset, &wanted))
		pci->function.words[offset / 4] = (uint32_t)pci_bar_read(
			&pci->function, wanted.bar, wanted.offset, (enum bus_width)wanted.length);
}

static void register_written(void *device, unsigned offset) {
	struct virtio_pci *pci = transport_of(device);
	struct structure wanted;

	if (offset == PCI_REGISTER_COMMAND)
		virtio_cut_off(pci->device, !pci_is_master(&pci->function));
	else if (access_wanted(pci, offset, &wanted))
		pci_bar_write(&pci->function, wanted.bar, wanted.offset,
			(enum bus_width)wanted.length, wanted.more);
}

static const struct pci_ops transport_ops = {
	.read = transport_read,
	.write = transport_write,
	.register_read = register_read,
	.register_written = register_written,
};

// Base and sub-class (PCI Code and ID Assignment specification 1.11, chapter 1).
static uint16_t class_of(enum virtio_id id) {
	switch ((unsigned)id) {
	case VIRTIO_ID_NET: return 0x0200; // Ethernet controller
	case VIRTIO_ID_BLOCK: return 0x0180; // other mass storage
	case VIRTIO_ID_CONSOLE:
	case VIRTIO_ID_VSOCK: return 0x0780; // other communication controller
	default: return CLASS_OTHER;
	}
}

static unsigned describe_structure(struct virtio_pci *pci, enum virtio_pci_kind kind, uint8_t bar,
	uint32_t offset, uint32_t length) {
	struct structure capability = {
		.size = sizeof(capability),
		.kind = (uint8_t)kind,
		.bar = bar,
		.offset = offset,
		.length = length,
	};

	return pci_describe_capability(
		&pci->function, PCI_CAPABILITY_VENDOR, &capability, sizeof(capability));
}

static void describe_structures(struct virtio_pci *pci) {
	uint32_t *writable;

	describe_structure(
		pci, VIRTIO_PCI_COMMON, MEMORY_BAR, COMMON_OFFSET, VIRTIO_PCI_COMMON_SIZE);
	// In the order of preference; all queues are notified at one place.
	describe_structure(pci, VIRTIO_PCI_NOTIFY, PORT_BAR, 0, PORTS);
	describe_structure(pci, VIRTIO_PCI_NOTIFY, MEMORY_BAR, NOTIFY_OFFSET, NOTIFY_SIZE);
	describe_structure(pci, VIRTIO_PCI_ISR, MEMORY_BAR, ISR_OFFSET, 1);
	describe_structure(pci, VIRTIO_PCI_CONFIG, MEMORY_BAR, CONFIG_OFFSET, CONFIG_SIZE);
	pci->access = (uint8_t)describe_structure(pci, VIRTIO_PCI_ACCESS, 0, 0, 0);
	writable = &pci->function.writable[pci->access / 4];
	writable[1] = 0xff; // the BAR
	for (unsigned i = 2; i < sizeof(struct structure) / 4; i++)
		writable[i] = UINT32_MAX;
}

void virtio_pci_init(struct virtio_pci *pci, struct virtio_device *device) {
	struct pci_identity identity = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = (uint16_t)(VIRTIO_PCI_DEVICE + device->ops->id),
		.class = class_of(device->ops->id),
		.revision = REVISION,
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = (uint16_t)(VIRTIO_PCI_DEVICE + device->ops->id),
	};

	*pci = (struct virtio_pci){.device = device};
	device->transport = (struct virtio_transport){pci, queue_interrupt, config_interrupt};
	pci_describe(&pci->function, &identity, &transport_ops, pci);
	pci_describe_bar(&pci->function, MEMORY_BAR, PCI_BAR_IS_64_BIT, MEMORY_SIZE);
	pci_describe_bar(&pci->function, PORT_BAR, PCI_BAR_IS_PORTS, PORTS);
	pci_describe_line(&pci->function);
	pci_describe_msix(&pci->function, MEMORY_BAR, MSIX_OFFSET, device->queue_count + 1u);
	describe_structures(pci);
}

void virtio_pci_reset(struct virtio_pci *pci) {
	virtio_reset(pci->device);
	virtio_common_reset(pci);
	// After the function's reset, before or after this one, it is no bus master
	// (PCI 3.0, 6.2.2).
	virtio_cut_off(pci->device, true);
}
