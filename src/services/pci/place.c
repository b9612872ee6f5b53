// SPDX-License-Identifier: BSD-2-Clause
// Where the registers of a device may be put.
#include <services/pci/place.h>

enum {
	BRIDGE_SHIFT = 16, // of a bridge's memory registers: they hold address bits 31..20
	BRIDGE_MASK = 0xfff0,
	BRIDGE_UNIT = 1 << 20,
	MAP_ENTRIES = 50,
};

// I/O APICs, HPET, local APICs, firmware.
#define MACHINE_START 0xfec00000ul
#define MACHINE_END 0x100000000ul
// The first megabyte has legacy devices and firmware.
#define LOWEST 0x100000ul

struct range {
	uint64_t start;
	uint64_t end;
};

// The chunk of bootinfo: its header, then this.
struct [[gnu::packed]] memory_map {
	uint64_t chunk;
	uint64_t chunk_length;
	uint32_t bytes;
	struct [[gnu::packed]] {
		uint32_t size;
		uint64_t base;
		uint64_t length;
		uint32_t type;
	} entries[MAP_ENTRIES];
};

const char *const pci_place_texts[] = {
	[PCI_PLACE_OK] = "it may be there",
	[PCI_PLACE_NO_BAR] = "the device has no such memory BAR",
	[PCI_PLACE_UNALIGNED] = "the address must be a multiple of its size and in its reach",
	[PCI_PLACE_RESERVED] = "the address is RAM or reserved",
	[PCI_PLACE_TAKEN] = "another device is there",
	[PCI_PLACE_BRIDGE] = "the bridge before the device does not lead there",
};

static bool overlap(struct range one, struct range other) {
	return one.start < other.end && other.start < one.end;
}

static bool contains(struct range outer, struct range inner) {
	return outer.start <= inner.start && inner.end <= outer.end;
}

// The range that a bridge forwards to the bus behind it; empty when its limit is below its base.
static struct range bridge_range(const struct pci_config *config, const struct pci_device *bridge) {
	uint64_t base = pci_read16(config, bridge->function, PCI_REGISTER_MEMORY_BASE) &
		BRIDGE_MASK;
	uint64_t limit = pci_read16(config, bridge->function, PCI_REGISTER_MEMORY_LIMIT) &
		BRIDGE_MASK;

	if (limit < base) return (struct range){0};
	return (struct range){base << BRIDGE_SHIFT, (limit << BRIDGE_SHIFT) + BRIDGE_UNIT};
}

static bool is_taken(
	const struct pci_devices *devices, unsigned index, unsigned bar, struct range range) {
	for (unsigned i = 0; i < devices->count; i++) {
		for (unsigned j = 0; j < PCI_BARS; j++) {
			const struct pci_base *base = &devices->rows[i].bases[j];
			struct range other = {base->address, base->address + base->size};

			if ((i == index && j == bar) || base->flags & PCI_BAR_PORTS) continue;
			if (base->size > 0 && overlap(range, other)) return true;
		}
	}
	return false;
}

// Bridges on the device's own bus must not claim the range, and the one above it must forward it.
static enum pci_place_status check_bridges(const struct pci_config *config,
	const struct pci_devices *devices, int own, struct range range) {
	for (unsigned i = 0; i < devices->count; i++) {
		const struct pci_device *bridge = &devices->rows[i];

		if (bridge->header == PCI_HEADER_BRIDGE && bridge->bridge == own &&
			overlap(range, bridge_range(config, bridge)))
			return PCI_PLACE_TAKEN;
	}
	if (own != PCI_ROOT && !contains(bridge_range(config, &devices->rows[own]), range))
		return PCI_PLACE_BRIDGE;
	return PCI_PLACE_OK;
}

enum pci_place_status pci_place_check(const struct pci_config *config,
	const struct pci_devices *devices, unsigned index, unsigned bar, uint64_t address) {
	const struct pci_device *device = &devices->rows[index];
	const struct pci_base *base = &device->bases[bar];
	struct range range = {address, address + base->size};

	if (base->size == 0 || base->flags & PCI_BAR_PORTS) return PCI_PLACE_NO_BAR;
	if (base->address == address) return PCI_PLACE_OK;
	if (address % base->size != 0 || range.end < range.start) return PCI_PLACE_UNALIGNED;
	if (!(base->flags & PCI_BAR_64_BIT) && range.end > MACHINE_END) return PCI_PLACE_UNALIGNED;
	if (address < LOWEST || overlap(range, (struct range){MACHINE_START, MACHINE_END}))
		return PCI_PLACE_RESERVED;
	if (is_taken(devices, index, bar, range)) return PCI_PLACE_TAKEN;
	return check_bridges(config, devices, device->bridge, range);
}

bool pci_memory_map_leaves(const struct pci_memory_map *map, uint64_t address, uint64_t size) {
	const struct memory_map *chunk = (const struct memory_map *)map->vaddr;
	unsigned count;

	if (!chunk || chunk->chunk_length == 0) return true;
	count = chunk->bytes / sizeof(chunk->entries[0]);
	for (unsigned i = 0; i < count && i < MAP_ENTRIES; i++) {
		struct range entry = {
			chunk->entries[i].base, chunk->entries[i].base + chunk->entries[i].length};

		if (overlap(entry, (struct range){address, address + size})) return false;
	}
	return true;
}
