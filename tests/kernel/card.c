// SPDX-License-Identifier: BSD-2-Clause
// The card's registers (Intel 82574, as QEMU has it).
#include "card.h"

enum {
	CARD_PORTS_BAR = PCI_REGISTER_BAR + 8,
	CARD_ID = 0x10d38086,
	CARD_CAUSE = 0xc0,
	CARD_CAUSE_SET = 0xc8,
	CARD_MASK_SET = 0xd0,
	CARD_LINK_CHANGED = 4,
};

static uint64_t card_read(const struct card *card, uint64_t offset) {
	port_out32(card->ports, card->base, offset);
	return port_in32(card->ports, card->base + 4);
}

static void card_write(const struct card *card, uint64_t offset, uint64_t value) {
	port_out32(card->ports, card->base, offset);
	port_out32(card->ports, card->base + 4, value);
}

struct card card_find(void) {
	struct card card = {.pci = pci_ports()};

	card.device = pci_find(card.pci, CARD_ID, "no network card that sends messages");
	card.base = pci_read(card.pci, card.device, CARD_PORTS_BAR) & ~3ul;
	card.ports = ports_issue(card.base, card.base + 7);
	pci_write(card.pci, card.device, PCI_REGISTER_COMMAND,
		PCI_COMMAND_PORTS | PCI_COMMAND_BUS_MASTER);
	card.messages = pci_read(card.pci, card.device, PCI_REGISTER_CAPABILITIES) & 0xff;
	while ((pci_read(card.pci, card.device, card.messages) & 0xff) != PCI_CAPABILITY_MSI)
		card.messages = pci_read(card.pci, card.device, card.messages) >> 8 & 0xff;
	card_write(&card, CARD_MASK_SET, CARD_LINK_CHANGED);
	return card;
}

void card_send(const struct card *card, uint64_t address, uint64_t data) {
	uint64_t control = pci_read(card->pci, card->device, card->messages);

	pci_write(card->pci, card->device, card->messages + PCI_MSI_ADDRESS, address);
	pci_write(card->pci, card->device, card->messages + PCI_MSI_HIGH_ADDRESS, 0);
	pci_write(card->pci, card->device, card->messages + PCI_MSI_DATA, data);
	pci_write(card->pci, card->device, card->messages, control | PCI_MSI_ENABLE << 16);
	card_write(card, CARD_CAUSE_SET, CARD_LINK_CHANGED);
	(void)card_read(card, CARD_CAUSE);
}
