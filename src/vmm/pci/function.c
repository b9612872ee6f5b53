// SPDX-License-Identifier: BSD-2-Clause
// Configuration registers of a function (PCI 3.0, chapter 6).
#include <vmm/pci/function.h>

#include <vmm/pci/host.h>

#include <base/memory.h>

enum {
	COMMAND_WORD = PCI_REGISTER_COMMAND / 4, // and the status above it
	STATUS_SHIFT = 16,
	BAR_WORD = PCI_REGISTER_BAR / 4,
	PIN_SHIFT = 8,
	PIN_A = 1,
	LINE_MASK = 0xff,
};

void pci_describe(struct pci_function *function, const struct pci_identity *identity,
	const struct pci_ops *ops, void *device) {
	*function = (struct pci_function){
		.ops = ops,
		.device = device,
		.end = PCI_REGISTER_OWN,
	};
	function->words[PCI_REGISTER_VENDOR / 4] = identity->vendor |
		(uint32_t)identity->device << 16;
	function->words[PCI_REGISTER_CLASS / 4] = identity->revision |
		(uint32_t)identity->class << 16;
	function->words[PCI_REGISTER_SUBSYSTEM / 4] = identity->subsystem_vendor |
		(uint32_t)identity->subsystem << 16;
	function->writable[COMMAND_WORD] = PCI_COMMAND_BUS_MASTER | PCI_COMMAND_PARITY |
		PCI_COMMAND_SYSTEM_ERROR;
}

void pci_describe_bar(
	struct pci_function *function, unsigned number, uint8_t flags, uint64_t size) {
	struct pci_bar *bar = &function->bars[number];
	uint64_t mask = -size;

	bar->function = function;
	bar->flags = flags;
	bar->window = (struct bus_window){&pci_bar_ops, bar, 0, size, NULL};
	function->words[BAR_WORD + number] = flags;
	function->writable[BAR_WORD + number] = (uint32_t)mask;
	if (flags & PCI_BAR_IS_64_BIT)
		function->writable[BAR_WORD + number + 1] = (uint32_t)(mask >> 32);
	function->writable[COMMAND_WORD] |= flags & PCI_BAR_IS_PORTS ? PCI_COMMAND_PORTS
								     : PCI_COMMAND_MEMORY;
}

unsigned pci_describe_capability(
	struct pci_function *function, uint8_t kind, const void *bytes, unsigned size) {
	uint8_t *registers = (uint8_t *)function->words;
	unsigned offset = function->end;
	unsigned link = function->last_capability == 0 ? PCI_REGISTER_CAPABILITIES
						       : function->last_capability + 1u;

	memcpy(registers + offset, bytes, size);
	registers[offset] = kind;
	registers[offset + 1] = 0;
	registers[link] = (uint8_t)offset;
	function->words[COMMAND_WORD] |= PCI_STATUS_CAPABILITIES << STATUS_SHIFT;
	function->last_capability = (uint8_t)offset;
	function->end = (uint8_t)(offset + size);
	return offset;
}

void pci_describe_line(struct pci_function *function) {
	unsigned word = PCI_REGISTER_INTERRUPT_LINE / 4;

	function->words[word] = PIN_A << PIN_SHIFT;
	function->writable[word] = LINE_MASK; // software's note to itself
	function->writable[COMMAND_WORD] |= PCI_COMMAND_NO_INTX;
}

static void line_update(struct pci_function *function) {
	bool wanted = function->asserted && !pci_uses_messages(function) &&
		!(function->words[COMMAND_WORD] & PCI_COMMAND_NO_INTX);

	if (function->line.changed) line_set(&function->line, wanted ? LINE_HIGH : LINE_LOW);
}

void pci_interrupt(struct pci_function *function, bool asserted) {
	const uint32_t bit = PCI_STATUS_INTERRUPT << STATUS_SHIFT;

	function->asserted = asserted;
	function->words[COMMAND_WORD] &= ~bit;
	if (asserted) function->words[COMMAND_WORD] |= bit;
	line_update(function);
}

void pci_function_reset(struct pci_function *function) {
	pci_bars_unmap(function);
	for (unsigned i = 0; i < PCI_WORDS; i++)
		function->words[i] &= ~function->writable[i];
	for (unsigned i = 0; i < PCI_BARS; i++)
		function->words[BAR_WORD + i] |= function->places[i];
	pci_messages_reset(function);
	pci_interrupt(function, false);
}

uint32_t pci_register_read(struct pci_function *function, unsigned offset, enum bus_width width) {
	if (function->ops->register_read && offset >= PCI_REGISTER_OWN)
		function->ops->register_read(function->device, offset / 4 * 4);
	return (uint32_t)bus_truncate(function->words[offset / 4] >> 8 * (offset % 4), width);
}

void pci_register_write(
	struct pci_function *function, unsigned offset, enum bus_width width, uint32_t value) {
	unsigned word = offset / 4;
	unsigned shift = 8 * (offset % 4);
	uint32_t mask = (uint32_t)bus_truncate(UINT64_MAX, width) << shift;

	mask &= function->writable[word];
	function->words[word] = (function->words[word] & ~mask) | (value << shift & mask);
	if (word == COMMAND_WORD || (word >= BAR_WORD && word < BAR_WORD + PCI_BARS))
		pci_bars_update(function);
	pci_messages_update(function);
	line_update(function);
	if (function->ops->register_written && (word == COMMAND_WORD || offset >= PCI_REGISTER_OWN))
		function->ops->register_written(function->device, word * 4);
}
