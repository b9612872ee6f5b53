// SPDX-License-Identifier: BSD-2-Clause
// Taking a device out of use whose driver is gone.
#include <lib/pci/reset.h>

#include <lib/pci/registers.h>

enum {
	WORD = 4,
	USED = PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER,
	FIRST_KEPT = PCI_REGISTER_CACHE_LINE / WORD,
};

void pci_stop(const struct pci_config *config, uint16_t function) {
	uint16_t command = pci_read16(config, function, PCI_REGISTER_COMMAND);

	config->write(function, PCI_REGISTER_COMMAND, 2, command & ~(uint32_t)USED);
}

static bool express_reset(const struct pci_config *config, uint16_t function) {
	unsigned start = pci_capability(config, function, PCI_CAPABILITY_EXPRESS);
	uint16_t control;

	if (start == 0 ||
		!(pci_read32(config, function, start + PCI_EXPRESS_CAPABILITIES) &
			PCI_EXPRESS_CAN_RESET))
		return false;
	control = pci_read16(config, function, start + PCI_EXPRESS_CONTROL);
	config->write(function, start + PCI_EXPRESS_CONTROL, 2, control | PCI_EXPRESS_RESET);
	return true;
}

static bool features_reset(const struct pci_config *config, uint16_t function) {
	unsigned start = pci_capability(config, function, PCI_CAPABILITY_FEATURES);

	if (start == 0 ||
		!(pci_read8(config, function, start + PCI_FEATURES_CAPABILITIES) &
			PCI_FEATURES_CAN_RESET))
		return false;
	config->write(function, start + PCI_FEATURES_CONTROL, 1, PCI_FEATURES_RESET);
	return true;
}

bool pci_reset(const struct pci_config *config, uint16_t function, struct pci_kept *kept) {
	// QEMU's NVMe controller would keep its interrupt line active for ever.
	if (pci_read16(config, function, PCI_REGISTER_STATUS) & PCI_STATUS_INTERRUPT &&
		!(pci_read16(config, function, PCI_REGISTER_COMMAND) & PCI_COMMAND_NO_INTX))
		return false;
	for (unsigned i = 0; kept && i < PCI_KEPT; i++)
		kept->registers[i] = pci_read32(config, function, i * WORD);
	return express_reset(config, function) || features_reset(config, function);
}

void pci_reset_end(
	const struct pci_config *config, uint16_t function, const struct pci_kept *kept) {
	for (unsigned i = FIRST_KEPT; i < PCI_KEPT; i++)
		config->write(function, i * WORD, WORD, kept->registers[i]);
	config->write(function, PCI_REGISTER_COMMAND, 2,
		(uint16_t)kept->registers[PCI_REGISTER_COMMAND / WORD]);
}
