// SPDX-License-Identifier: BSD-2-Clause
// How a driver finds its virtio device on PCI, and its registers.
#include <lib/virtio/open.h>

#include <lib/virtio/registers.h>
#include <nacre/print.h>

// The function whose registers are read; written by virtio_open only.
static struct {
	microkit_channel channel; // to the PCI component
	unsigned number;
} opened;

uint32_t virtio_read(uint64_t offset, unsigned width) {
	uint64_t address = registers_vaddr + offset;

	if (width == 1) return *(volatile uint8_t *)address;
	if (width == 2) return *(volatile uint16_t *)address;
	return *(volatile uint32_t *)address;
}

void virtio_write(uint64_t offset, unsigned width, uint32_t value) {
	uint64_t address = registers_vaddr + offset;

	if (width == 1)
		*(volatile uint8_t *)address = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)address = (uint16_t)value;
	else
		*(volatile uint32_t *)address = value;
}

static uint32_t read_function(unsigned offset, unsigned width) {
	uint32_t value;

	return pci_read(opened.channel, opened.number, offset, width, &value) == PCI_OK ? value : 0;
}

bool virtio_open(struct pci_wanted wanted, enum virtio_id type, struct virtio_places *places) {
	bool is_virtio;

	opened.channel = wanted.channel;
	opened.number = wanted.number;
	is_virtio = virtio_is_of_type(read_function, type) &&
		virtio_places_find(read_function, registers_size, places);
	// Without its structures there is no device, or another one: that is for pci_open to say.
	wanted.bar = is_virtio ? places->bar : 0;
	if (!pci_open(&wanted)) return false;
	if (!is_virtio)
		print("%s: the device is not virtio 1 of type %u with its registers in one BAR\n",
			microkit_name, type);
	return is_virtio;
}
