// SPDX-License-Identifier: BSD-2-Clause
// The AHCI disk driver: the first disk of a controller, by DMA.
#include <drivers/ahci/controller.h>
#include <drivers/ahci/registers.h>
#include <lib/block/driver.h>
#include <lib/block/pci_disk.h>

enum {
	REGISTERS_BAR = 5,
	REGISTERS_LEAST = AHCI_PORTS + AHCI_PORT_SIZE,
};

// Written by the functions of this file only.
static struct ahci_controller controller;

uint32_t ahci_read(unsigned offset) { return *(volatile uint32_t *)(registers_vaddr + offset); }

void ahci_write(unsigned offset, uint32_t value) {
	*(volatile uint32_t *)(registers_vaddr + offset) = value;
}

static bool open(void) {
	const struct pci_wanted wanted = pci_disk_wanted(REGISTERS_BAR, REGISTERS_LEAST);

	return pci_disk_is_described(
		       true, DMA_BYTES, "registers_vaddr, dma_vaddr, dma_size or dma_paddr") &&
		pci_open_if_granted(&wanted);
}

static uint64_t reset(void) { return ahci_controller_reset(&controller); }

static enum block_progress start(const struct block_job *job) {
	return ahci_controller_start(&controller, job);
}

static enum block_progress interrupt(void) { return ahci_controller_interrupt(&controller); }

static const struct block_device device = {
	.trigger = BLOCK_LEVEL,
	.open = open,
	.reset = reset,
	.start = start,
	.interrupt = interrupt,
};

void init(void) {
	controller.port.memory = (uint8_t *)dma_vaddr;
	controller.port.paddr = dma_paddr;
	driver_start(&device);
}
