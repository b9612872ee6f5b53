// SPDX-License-Identifier: BSD-2-Clause
// The driver of an NVMe disk: the first namespace of a controller.
#include <drivers/nvme/controller.h>
#include <lib/block/driver.h>
#include <nacre/pci_open.h>
#include <nacre/print.h>

enum {
	REGISTERS_BAR = 0,
};

#define PATCHED __attribute__((section(".data")))

// Patched by the composer: the controller's registers, and pages that it reads and writes.
uint64_t registers_vaddr PATCHED;
uint64_t registers_size PATCHED;
uint64_t registers_paddr PATCHED;
uint64_t dma_vaddr PATCHED;
uint64_t dma_size PATCHED;
uint64_t dma_paddr PATCHED;

// Written by the functions of this file only.
static struct nvme_controller controller;

uint32_t nvme_read(uint64_t offset) { return *(volatile uint32_t *)(registers_vaddr + offset); }

void nvme_write(uint64_t offset, uint32_t value) {
	*(volatile uint32_t *)(registers_vaddr + offset) = value;
}

static bool is_described(void) {
	if (registers_vaddr && registers_size > NVME_DOORBELLS && dma_vaddr && dma_paddr &&
		dma_size >= DMA_BYTES)
		return true;
	print("%s: the description lacks registers_vaddr, registers_size, dma_vaddr, dma_size or "
	      "dma_paddr\n",
		microkit_name);
	return false;
}

static bool open(void) {
	const struct pci_wanted wanted = {
		.channel = BLOCK_CHANNEL_PCI,
		.number = 0,
		.bar = REGISTERS_BAR,
		.paddr = registers_paddr,
		.size = registers_size,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};

	return is_described() && pci_open_if_granted(&wanted);
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

void notified(microkit_channel channel) { driver_notified(channel); }
