// SPDX-License-Identifier: BSD-2-Clause
// A machine of arrays.
#include "pci_machine.h"

#include <base/bits.h>
#include <string.h>

struct function functions[FUNCTIONS];
unsigned function_count;
unsigned wrong_accesses;
struct pci_devices devices;

struct function *find(uint16_t address) {
	for (unsigned i = 0; i < function_count; i++) {
		if (functions[i].address == address) return &functions[i];
	}
	return NULL;
}

uint32_t fake_read(uint16_t address, unsigned offset, unsigned width) {
	struct function *function = find(address);
	uint32_t value = ~0u;

	wrong_accesses += offset % width != 0 || offset + width > PCI_SPACE;
	if (function) memcpy(&value, function->bytes + offset, width);
	return width == 4 ? value : value & (uint32_t)bits_mask(width * 8);
}

static void fake_write(uint16_t address, unsigned offset, unsigned width, uint32_t value) {
	struct function *function = find(address);

	wrong_accesses += offset % width != 0 || offset + width > PCI_SPACE;
	if (!function) return;
	if (offset >= PCI_REGISTER_BAR && offset < 0x28 &&
		function->bytes[PCI_REGISTER_COMMAND] & 3)
		function->sized_while_decoding = true;
	for (unsigned i = 0; i < width; i++) {
		uint8_t mask = function->writable[offset + i];
		uint8_t byte = (uint8_t)(value >> 8 * i);

		function->bytes[offset + i] = (uint8_t)((function->bytes[offset + i] & ~mask) |
			(byte & mask));
	}
}

const struct pci_config config = {fake_read, fake_write, PCI_SPACE, 256};

void put(uint8_t *bytes, unsigned offset, uint64_t value, unsigned width) {
	memcpy(bytes + offset, &value, width);
}

struct function *add(uint16_t address, uint32_t id, uint32_t class, unsigned header) {
	struct function *function = &functions[function_count++];

	*function = (struct function){.address = address};
	put(function->bytes, PCI_REGISTER_VENDOR, (id & 0xffff) << 16 | id >> 16, 4);
	put(function->bytes, PCI_REGISTER_CLASS, (uint64_t) class << 8, 4);
	function->bytes[PCI_REGISTER_HEADER] = (uint8_t)header;
	put(function->bytes, PCI_REGISTER_COMMAND, 7, 2);
	put(function->writable, PCI_REGISTER_COMMAND, 0x407, 2);
	return function;
}

void add_bar(struct function *function, unsigned bar, uint32_t value, uint32_t size) {
	put(function->bytes, PCI_REGISTER_BAR + 4 * bar, value, 4);
	put(function->writable, PCI_REGISTER_BAR + 4 * bar, -(uint64_t)size, 4);
}

void set_up(void) {
	struct function *each;

	function_count = 0;
	wrong_accesses = 0;
	add(HOST, 0x80861237, 0x060000, 0);
	each = add(VGA, 0x12341111, 0x030000, 0);
	add_bar(each, 0, 0xfd000008, 1 << 24);
	add_bar(each, 2, 0xfebf0000, 1 << 12);
	each = add(CARD, 0x8086100e, 0x020000, 0);
	add_bar(each, 0, 0xfebc0000, 1 << 17);
	add_bar(each, 1, 0xc041, 0x40);
	each->bytes[PCI_REGISTER_INTERRUPT_LINE] = 11;
	each->bytes[PCI_REGISTER_INTERRUPT_PIN] = 1;
	each = add(BRIDGE, 0x1b360001, 0x060400, PCI_HEADER_BRIDGE);
	each->bytes[PCI_REGISTER_SECONDARY_BUS] = 1;
	put(each->bytes, PCI_REGISTER_MEMORY_BASE, 0xe000, 2);
	put(each->bytes, PCI_REGISTER_MEMORY_LIMIT, 0xe0f0, 2);
	each = add(BEHIND, 0x80862922, 0x010601, 0);
	add_bar(each, 0, 0xe000000c, 1 << 13);
	put(each->writable, PCI_REGISTER_BAR + 4, 0xffffffff, 4);
	add_bar(each, 5, 0xe0010000, 1 << 12);
	pci_scan(&config, &devices);
}

int index_of(uint16_t address) {
	for (unsigned i = 0; i < devices.count; i++) {
		if (devices.rows[i].function == address) return (int)i;
	}
	return -1;
}

const struct pci_base *base_of(uint16_t address, unsigned bar) {
	return &devices.rows[index_of(address)].bases[bar];
}

void add_capability(struct function *function, unsigned kind) {
	put(function->bytes, PCI_REGISTER_STATUS, PCI_STATUS_CAPABILITIES, 2);
	function->bytes[PCI_REGISTER_CAPABILITIES] = 0x50;
	put(function->bytes, 0x50, kind, 2);
}
