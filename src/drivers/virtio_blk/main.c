// SPDX-License-Identifier: BSD-2-Clause
// The driver of a virtio disk on PCI, by DMA.
#include <base/bits.h>

#include <drivers/virtio_blk/device.h>
#include <lib/block/driver.h>
#include <lib/block/pci_disk.h>
#include <lib/virtio/registers.h>
#include <nacre/print.h>

enum {
	DEVICE = 0, // the only one granted
};

// Written by the functions of this file only.
static struct virtio_blk disk;

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

	return pci_read(BLOCK_CHANNEL_PCI, DEVICE, offset, width, &value) == PCI_OK ? value : 0;
}

static bool open(void) {
	struct virtio_places *places = &disk.transport.places;
	struct pci_wanted wanted = pci_disk_wanted(0, registers_size);
	bool is_virtio;

	if (!pci_disk_is_described(registers_size && microkit_pps & BIT(BLOCK_CHANNEL_PCI),
		    VIRTIO_BLK_MEMORY,
		    "registers_vaddr, registers_size, dma_vaddr, dma_size, dma_paddr or the "
		    "channel to the PCI component"))
		return false;
	is_virtio = virtio_places_find(read_function, registers_size, places);
	// Without its structures there is no device, or another one: that is for pci_open to say.
	wanted.bar = is_virtio ? places->bar : 0;
	if (!pci_open(&wanted)) return false;
	if (!is_virtio)
		print("%s: the registers are not those of virtio 1, or not in one BAR\n",
			microkit_name);
	return is_virtio;
}

static uint64_t reset(void) { return virtio_blk_reset(&disk); }

static enum block_progress start(const struct block_job *job) {
	return virtio_blk_start(&disk, job);
}

static enum block_progress interrupt(void) { return virtio_blk_interrupt(&disk); }

static const struct block_device device = {
	.trigger = BLOCK_LEVEL,
	.open = open,
	.reset = reset,
	.start = start,
	.interrupt = interrupt,
};

void init(void) {
	disk.memory = (uint8_t *)dma_vaddr;
	disk.paddr = dma_paddr;
	driver_start(&device);
}
