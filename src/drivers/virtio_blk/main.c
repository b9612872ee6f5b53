// SPDX-License-Identifier: BSD-2-Clause
// The driver of a virtio disk on PCI, by DMA.
#include <base/bits.h>

#include <drivers/virtio_blk/device.h>
#include <lib/block/driver.h>
#include <lib/block/pci_disk.h>
#include <lib/virtio/open.h>

// Written by the functions of this file only.
static struct virtio_blk disk;

static bool open(void) {
	return pci_disk_is_described(registers_size && microkit_pps & BIT(BLOCK_CHANNEL_PCI),
		       VIRTIO_BLK_MEMORY,
		       "registers_vaddr, registers_size, dma_vaddr, dma_size, dma_paddr or the "
		       "channel to the PCI component") &&
		virtio_open(pci_disk_wanted(0, registers_size), VIRTIO_ID_BLOCK, &disk.places);
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
