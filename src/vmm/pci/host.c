// SPDX-License-Identifier: BSD-2-Clause
// The host bridge.
#include <vmm/pci/host.h>

enum {
	PORTS_SIZE = 8,
	DATA_OFFSET = PCI_PORT_DATA - PCI_PORT_ADDRESS,
	FUNCTION_BITS = 3,
	FUNCTIONS = PCI_SLOTS << FUNCTION_BITS, // of a bus
	// The generic host bridge that QEMU has: Linux has no quirks for it.
	BRIDGE_VENDOR = 0x1b36,
	BRIDGE_DEVICE = 0x0008,
};
#define ADDRESS_WRITABLE (PCI_ADDRESS_ENABLE | 0xfffffcu)

_Static_assert(PCI_ECAM_SIZE == FUNCTIONS << PCI_MEMORY_FUNCTION_SHIFT);
_Static_assert(PCI_MEMORY_LAST + 1 == PCI_ECAM_BASE);
_Static_assert(PCI_MEMORY_BASE + PCI_MEMORY_SIZE - 1 == PCI_MEMORY_LAST);
_Static_assert(PCI_HIGH_MEMORY_BASE + PCI_HIGH_MEMORY_SIZE - 1 == PCI_HIGH_MEMORY_LAST);
_Static_assert(PCI_PORTS_BASE + PCI_PORTS_SIZE - 1 == PCI_PORTS_LAST);

// A function (bus << 8 | device << 3 | function) that is there, or null: one in each slot.
static struct pci_function *find(const struct pci_host *host, unsigned number) {
	if (number >= FUNCTIONS || number % (1 << FUNCTION_BITS) != 0) return NULL;
	return host->slots[number >> FUNCTION_BITS];
}

static bool in_one_word(unsigned offset, enum bus_width width) { return offset % 4 + width <= 4; }

// Functions that are not there read as all ones. A function has no extended registers: those of one
// that is there read as 0, the end of their list.
static uint32_t host_read(
	const struct pci_host *host, unsigned number, unsigned offset, enum bus_width width) {
	struct pci_function *function = find(host, number);

	if (!function || !in_one_word(offset, width)) return UINT32_MAX;
	return offset < PCI_SPACE ? pci_register_read(function, offset, width) : 0;
}

static void host_write(const struct pci_host *host, unsigned number, unsigned offset,
	enum bus_width width, uint32_t value) {
	struct pci_function *function = find(host, number);

	if (function && in_one_word(offset, width) && offset < PCI_SPACE)
		pci_register_write(function, offset, width, value);
}

static bool is_address(uint64_t offset, enum bus_width width) {
	return offset == 0 && width == BUS_WIDTH_4;
}

static bool is_data(const struct pci_host *host, uint64_t offset) {
	return offset >= DATA_OFFSET && (host->address & PCI_ADDRESS_ENABLE);
}

static unsigned port_function(const struct pci_host *host) {
	return (host->address & ~PCI_ADDRESS_ENABLE) >> PCI_ADDRESS_FUNCTION_SHIFT;
}

static unsigned port_register(const struct pci_host *host, uint64_t offset) {
	return (uint8_t)host->address + (unsigned)offset - DATA_OFFSET;
}

static uint64_t port_read(void *device, uint64_t offset, enum bus_width width) {
	struct pci_host *host = device;

	if (is_address(offset, width)) return host->address;
	if (!is_data(host, offset))
		return bus_read(&host->beside, PCI_PORT_ADDRESS + offset, width);
	return host_read(host, port_function(host), port_register(host, offset), width);
}

static void port_write(void *device, uint64_t offset, enum bus_width width, uint64_t value) {
	struct pci_host *host = device;

	if (is_address(offset, width))
		host->address = (uint32_t)value & ADDRESS_WRITABLE;
	else if (is_data(host, offset))
		host_write(host, port_function(host), port_register(host, offset), width,
			(uint32_t)value);
	else
		bus_write(&host->beside, PCI_PORT_ADDRESS + offset, width, value);
}

static uint64_t memory_read(void *device, uint64_t offset, enum bus_width width) {
	return host_read(device, (unsigned)(offset >> PCI_MEMORY_FUNCTION_SHIFT),
		offset % PCI_SPACE_EXTENDED, width);
}

static void memory_write(void *device, uint64_t offset, enum bus_width width, uint64_t value) {
	host_write(device, (unsigned)(offset >> PCI_MEMORY_FUNCTION_SHIFT),
		offset % PCI_SPACE_EXTENDED, width, (uint32_t)value);
}

// A pin is high while the line of one of its slots is.
static void slot_changed(void *controller, unsigned slot, enum line_level level) {
	const uint32_t first = UINT32_MAX / ((1u << PCI_PINS) - 1); // the slots of pin 0
	struct pci_host *host = controller;
	unsigned pin = slot % PCI_PINS;
	uint32_t bit = 1u << slot;

	host->levels = level == LINE_HIGH ? host->levels | bit : host->levels & ~bit;
	line_set(&host->lines[pin], host->levels & first << pin ? LINE_HIGH : LINE_LOW);
}

static void put(struct pci_host *host, unsigned slot, struct pci_function *function) {
	function->host = host;
	function->slot = (uint8_t)slot;
	function->line = (struct line){slot_changed, host, slot, LINE_LOW};
	host->slots[slot] = function;
}

bool pci_host_add(struct pci_host *host, unsigned slot, struct pci_function *function) {
	if (slot >= PCI_SLOTS || host->slots[slot]) return false;
	put(host, slot, function);
	return true;
}

void pci_host_map(struct pci_host *host) {
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (host->slots[i]) pci_bars_map(host->slots[i]);
}

void pci_host_reset(struct pci_host *host) {
	host->address = 0;
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (host->slots[i]) pci_function_reset(host->slots[i]);
}

static const struct bus_ops port_ops = {
	.name = "PCI configuration ports",
	.widths = BUS_WIDTH_1 | BUS_WIDTH_2 | BUS_WIDTH_4,
	.read = port_read,
	.write = port_write,
};
static const struct bus_ops memory_ops = {
	.name = "PCI configuration memory",
	.widths = BUS_WIDTH_1 | BUS_WIDTH_2 | BUS_WIDTH_4,
	.read = memory_read,
	.write = memory_write,
};
// It has no BARs.
static const struct pci_ops bridge_ops;

bool pci_host_attach(
	struct pci_host *host, struct bus *memory, struct bus *ports, struct fabric *fabric) {
	const struct pci_identity identity = {
		.vendor = BRIDGE_VENDOR,
		.device = BRIDGE_DEVICE,
		.class = PCI_CLASS_HOST_BRIDGE,
	};

	host->memory = memory;
	host->ports = ports;
	host->fabric = fabric;
	pci_describe(&host->bridge, &identity, &bridge_ops, host);
	put(host, 0, &host->bridge);
	host->port_window = (struct bus_window){
		&port_ops, host, PCI_PORT_ADDRESS, PORTS_SIZE, NULL};
	host->memory_window = (struct bus_window){
		&memory_ops, host, PCI_ECAM_BASE, PCI_ECAM_SIZE, NULL};
	return bus_add(ports, &host->port_window) && bus_add(memory, &host->memory_window);
}
