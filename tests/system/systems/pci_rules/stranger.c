// SPDX-License-Identifier: BSD-2-Clause
// Was promised a device that another client got first; cannot reach any.
#include <nacre/pci_client.h>

enum {
	PCI = 1,
	NUMBERS = 5,
};

void init(void) {
	bool refused = true;

	for (unsigned i = 0; i < NUMBERS; i++) {
		enum pci_status expected = i == 0 ? PCI_ABSENT : PCI_NO_GRANT;
		struct pci_found found;
		uint32_t value;

		refused &= pci_find(PCI, i, &found) == expected;
		refused &= pci_enable(PCI, i, PCI_ENABLE_BUS_MASTER) == expected;
		refused &= pci_read(PCI, i, 0, 4, &value) == expected;
		refused &= pci_write(PCI, i, 0x40, 4, 0) == expected;
	}
	microkit_dbg_puts(refused ? "stranger: has nothing\n" : "stranger: has something\n");
}

void notified(microkit_channel channel) { (void)channel; }
