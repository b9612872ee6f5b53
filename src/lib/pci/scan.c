// SPDX-License-Identifier: BSD-2-Clause
// The functions on the buses of a machine. Buses are numbered by the firmware; a bridge that names
// a bus already seen (or none) is not followed, so that wrong numbers cannot loop the scan.
#include <lib/pci/scan.h>

enum {
	DEVICES_OF_BUS = 32,
	FUNCTIONS = 8,
	BUSES = 256,
	BRIDGE_BARS = 2,
	BAR_PORTS = 1 << 0,
	BAR_PREFETCHABLE = 1 << 3,
	BAR_KIND_SHIFT = 1,
	BAR_KIND_MASK = 3,
	BAR_KIND_64_BIT = 2,
};

#define BAR_MEMORY_MASK 0xfffffff0u
#define BAR_PORTS_MASK 0xfffcu // 16 bits of ports; the upper half of the register may be fixed to 0

// What remains to be scanned.
struct scan {
	const struct pci_config *config;
	struct pci_devices *devices;
	bool seen[BUSES];
};

// The writable bits of a register; its value is restored.
static uint32_t writable_bits(const struct pci_config *config, uint16_t function, unsigned offset) {
	uint32_t before = config->read(function, offset, 4);
	uint32_t bits;

	config->write(function, offset, 4, ~0u);
	bits = config->read(function, offset, 4);
	config->write(function, offset, 4, before);
	return bits;
}

// The size is the lowest address bit that can be set.
static uint64_t size_of(uint64_t bits) { return bits & -bits; }

// One BAR; returns the number of registers it takes.
static unsigned read_base(const struct pci_config *config, uint16_t function, unsigned offset,
	struct pci_base *base) {
	uint32_t low = pci_read32(config, function, offset);
	uint32_t low_bits = writable_bits(config, function, offset);
	uint64_t high;
	uint64_t bits;

	*base = (struct pci_base){0};
	if (low & BAR_PORTS) {
		base->flags = PCI_BAR_PORTS;
		base->address = low & BAR_PORTS_MASK;
		base->size = size_of(low_bits & BAR_PORTS_MASK);
		return 1;
	}
	if (low_bits & BAR_PREFETCHABLE) base->flags |= PCI_BAR_PREFETCHABLE;
	base->address = low & BAR_MEMORY_MASK;
	if ((low_bits >> BAR_KIND_SHIFT & BAR_KIND_MASK) != BAR_KIND_64_BIT) {
		base->size = size_of(low_bits & BAR_MEMORY_MASK);
		return 1;
	}
	high = pci_read32(config, function, offset + 4);
	bits = (uint64_t)writable_bits(config, function, offset + 4) << 32 |
		(low_bits & BAR_MEMORY_MASK);
	base->flags |= PCI_BAR_64_BIT;
	base->address |= high << 32;
	base->size = size_of(bits);
	return 2;
}

static uint16_t decoding_off(const struct pci_config *config, uint16_t function) {
	uint16_t command = pci_read16(config, function, PCI_REGISTER_COMMAND);

	config->write(function, PCI_REGISTER_COMMAND, 2,
		command & ~(uint32_t)(PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY));
	return command;
}

static void read_bases(const struct pci_config *config, struct pci_device *device) {
	unsigned count = device->header == PCI_HEADER_BRIDGE ? BRIDGE_BARS : PCI_BARS;
	uint16_t command;

	// A host bridge that stops decoding may cut the processor off from memory.
	if (device->header > PCI_HEADER_BRIDGE || device->class >> 8 == PCI_CLASS_HOST_BRIDGE)
		return;
	command = decoding_off(config, device->function);
	for (unsigned i = 0; i < count;) {
		unsigned offset = PCI_REGISTER_BAR + 4 * i;
		struct pci_base base;
		unsigned taken = read_base(config, device->function, offset, &base);

		// The last register cannot be the first half of two.
		if (i + taken <= count) device->bases[i] = base;
		i += taken;
	}
	config->write(device->function, PCI_REGISTER_COMMAND, 2, command);
}

static void scan_function(struct scan *scan, uint16_t function, int bridge) {
	const struct pci_config *config = scan->config;
	struct pci_device *device;

	if (scan->devices->count == PCI_DEVICES) {
		scan->devices->missed++;
		return;
	}
	device = &scan->devices->rows[scan->devices->count++];
	*device = (struct pci_device){
		.function = function,
		.vendor = pci_read16(config, function, PCI_REGISTER_VENDOR),
		.device = pci_read16(config, function, PCI_REGISTER_DEVICE),
		.header = pci_read8(config, function, PCI_REGISTER_HEADER) & PCI_HEADER_KIND,
		.interrupt_line = pci_read8(config, function, PCI_REGISTER_INTERRUPT_LINE),
		.interrupt_pin = pci_read8(config, function, PCI_REGISTER_INTERRUPT_PIN),
		.class = pci_read32(config, function, PCI_REGISTER_CLASS) >> 8,
		.bridge = bridge,
	};
	read_bases(config, device);
}

static void scan_slot(struct scan *scan, uint16_t slot, int bridge) {
	unsigned functions = 1;

	for (unsigned i = 0; i < functions; i++) {
		uint16_t function = (uint16_t)(slot | i);

		if (pci_read16(scan->config, function, PCI_REGISTER_VENDOR) == PCI_NO_VENDOR)
			continue;
		if (pci_read8(scan->config, function, PCI_REGISTER_HEADER) &
			PCI_HEADER_MANY_FUNCTIONS)
			functions = FUNCTIONS;
		scan_function(scan, function, bridge);
	}
}

static void scan_bus(struct scan *scan, unsigned bus, int bridge) {
	scan->seen[bus] = true;
	for (unsigned i = 0; i < DEVICES_OF_BUS; i++)
		scan_slot(scan, (uint16_t)(bus << 8 | i << 3), bridge);
}

// The table of devices also serves as the list of bridges still to be followed.
void pci_scan(const struct pci_config *config, struct pci_devices *devices) {
	struct scan scan = {.config = config, .devices = devices};

	devices->count = 0;
	devices->missed = 0;
	if (config->buses == 0) return;
	scan_bus(&scan, 0, PCI_ROOT);
	for (unsigned i = 0; i < devices->count; i++) {
		unsigned bus;

		if (devices->rows[i].header != PCI_HEADER_BRIDGE) continue;
		bus = pci_read8(config, devices->rows[i].function, PCI_REGISTER_SECONDARY_BUS);
		if (bus < config->buses && !scan.seen[bus]) scan_bus(&scan, bus, (int)i);
	}
}

void pci_base_move(const struct pci_config *config, struct pci_device *device, unsigned bar,
	uint64_t address) {
	uint16_t command = decoding_off(config, device->function);
	unsigned offset = PCI_REGISTER_BAR + 4 * bar;

	config->write(device->function, offset, 4, (uint32_t)address);
	if (device->bases[bar].flags & PCI_BAR_64_BIT)
		config->write(device->function, offset + 4, 4, (uint32_t)(address >> 32));
	config->write(device->function, PCI_REGISTER_COMMAND, 2, command);
	device->bases[bar].address = address;
}
