// SPDX-License-Identifier: BSD-2-Clause
// Base address registers (PCI 3.0 6.2.5): the guest sizes them, moves them, and switches them on
// and off by the command register, at any time and to any place. One that lies where something else
// answers stays silent until that place is free; where RAM is, RAM answers.
#include <vmm/pci/function.h>

#include <vmm/host/log.h>
#include <vmm/pci/host.h>

static bool inside(const struct pci_function *function, unsigned number, uint64_t offset,
	enum bus_width width) {
	uint64_t size = number < PCI_BARS ? function->bars[number].window.size : 0;

	return width <= size && offset <= size - width;
}

uint64_t pci_bar_read(
	struct pci_function *function, unsigned number, uint64_t offset, enum bus_width width) {
	if (!inside(function, number, offset, width)) return UINT64_MAX;
	if (pci_msix_covers(function, number, offset))
		return pci_msix_read(function, offset, width);
	return function->ops->read(function->device, number, offset, width);
}

void pci_bar_write(struct pci_function *function, unsigned number, uint64_t offset,
	enum bus_width width, uint64_t value) {
	if (!inside(function, number, offset, width)) return;
	if (pci_msix_covers(function, number, offset))
		pci_msix_write(function, offset, width, value);
	else
		function->ops->write(function->device, number, offset, width, value);
}

static unsigned number_of(const struct pci_bar *bar) {
	return (unsigned)(bar - bar->function->bars);
}

static uint64_t bar_read(void *device, uint64_t offset, enum bus_width width) {
	const struct pci_bar *bar = device;

	return pci_bar_read(bar->function, number_of(bar), offset, width);
}

static void bar_write(void *device, uint64_t offset, enum bus_width width, uint64_t value) {
	const struct pci_bar *bar = device;

	pci_bar_write(bar->function, number_of(bar), offset, width, value);
}

const struct bus_ops pci_bar_ops = {
	.name = "PCI device",
	.widths = BUS_WIDTH_1 | BUS_WIDTH_2 | BUS_WIDTH_4 | BUS_WIDTH_8,
	.read = bar_read,
	.write = bar_write,
};

static struct bus *bus_of(const struct pci_bar *bar) {
	const struct pci_host *host = bar->function->host;

	return bar->flags & PCI_BAR_IS_PORTS ? host->ports : host->memory;
}

static uint64_t bar_base(const struct pci_function *function, unsigned number) {
	const uint32_t *words = &function->words[PCI_REGISTER_BAR / 4 + number];
	uint8_t flags = function->bars[number].flags;
	uint64_t base = words[0] & ~(uint32_t)flags;

	return flags & PCI_BAR_IS_64_BIT ? base | (uint64_t)words[1] << 32 : base;
}

static bool bar_enabled(const struct pci_bar *bar) {
	uint32_t bit = bar->flags & PCI_BAR_IS_PORTS ? PCI_COMMAND_PORTS : PCI_COMMAND_MEMORY;

	return bar->window.size > 0 && (bar->function->words[PCI_REGISTER_COMMAND / 4] & bit);
}

static void bar_unmap(struct pci_bar *bar) {
	if (bar->mapped) bus_remove(bus_of(bar), &bar->window);
	bar->mapped = false;
}

void pci_bars_unmap(struct pci_function *function) {
	for (unsigned i = 0; i < PCI_BARS; i++)
		bar_unmap(&function->bars[i]);
}

void pci_bars_map(struct pci_function *function) {
	for (unsigned i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &function->bars[i];

		if (bar->mapped || !bar_enabled(bar)) continue;
		bar->mapped = bus_add(bus_of(bar), &bar->window);
		if (bar->mapped || bar->refused) continue;
		bar->refused = true;
		log_guest("PCI device %u: BAR %u at %lx, where something else is", function->slot,
			i, bar->window.base);
	}
}

void pci_bars_update(struct pci_function *function) {
	for (unsigned i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &function->bars[i];
		uint64_t base = bar_base(function, i);

		if (bar->window.base == base && bar->mapped == bar_enabled(bar)) continue;
		bar_unmap(bar);
		bar->window.base = base;
		bar->refused = false;
	}
	pci_host_map(function->host);
}
