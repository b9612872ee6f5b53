// SPDX-License-Identifier: BSD-2-Clause
// The driver of an NVMe disk: the first namespace of a controller.
#include <drivers/nvme/controller.h>
#include <lib/block/driver.h>
#include <lib/block/pci_disk.h>

enum {
	REGISTERS_BAR = 0,
};

// Written by the functions of this file only.
static struct nvme_controller controller;

uint32_t nvme_read(uint64_t offset) { return *(volatile uint32_t *)(registers_vaddr + offset); }

void nvme_write(uint64_t offset, uint32_t value) {
	*(volatile uint32_t *)(registers_vaddr + offset) = value;
}

static bool open(void) {
	const struct pci_wanted wanted = pci_disk_wanted(REGISTERS_BAR, registers_size);

	return pci_disk_is_described(registers_size > NVME_DOORBELLS, DMA_BYTES,
		       "registers_vaddr, registers_size, dma_vaddr, dma_size or dma_paddr") &&
		pci_open_if_granted(&wanted);
}

static uint64_t reset(void) { return nvme_reset(&controller); }

static enum block_progress start(const struct block_job *job) {
	return nvme_start(&controller, job);
}

static enum block_progress interrupt(void) { return nvme_interrupt(&controller); }

static const struct block_device device = {
	.trigger = BLOCK_LEVEL,
	.open = open,
	.reset = reset,
	.start = start,
	.interrupt = interrupt,
};

void init(void) {
	controller.memory = (uint8_t *)dma_vaddr;
	controller.paddr = dma_paddr;
	controller.registers_size = registers_size;
	driver_start(&device);
}
