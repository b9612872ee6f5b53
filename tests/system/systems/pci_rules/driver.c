// SPDX-License-Identifier: BSD-2-Clause
// Asks the PCI component for everything it may have and some that it may not.
#include <nacre/pci_client.h>

enum {
	PCI = 1,
	IRQ = 2,
	EDU = 0, // numbers of the devices
	CARD = 1,
	ABSENT = 2,
	NONE = 3,
	EDU_IDENTITY = 0x00 / 4, // registers of the educational device
	EDU_INVERT = 0x04 / 4,
	EDU_RAISE = 0x60 / 4,
	EDU_LOWER = 0x64 / 4,
	COMMAND = 0x04,
	BAR0 = 0x10,
	LATENCY = 0x0d,
	CAPABILITIES = 0x34,
};

// Patched by the composer.
volatile uint32_t *card_vaddr;
uint64_t card_paddr;

// Written by expect only.
static unsigned wrong;

static void expect(bool holds, const char *what) {
	if (holds) return;
	wrong++;
	microkit_dbg_puts("driver: wrong: ");
	microkit_dbg_puts(what);
	microkit_dbg_puts("\n");
}

static void find_all(void) {
	struct pci_found found;
	struct pci_range range;

	expect(pci_find(PCI, EDU, &found) == PCI_OK && found.vendor == 0x1234 &&
			found.device == 0x11e8,
		"the first device");
	expect(pci_bar(PCI, EDU, 0, &range) == PCI_OK && range.address == card_paddr &&
			range.size == 0x100000 && range.flags == 0,
		"its registers are where the settings put them");
	expect(pci_bar(PCI, EDU, 1, &range) == PCI_UNSUPPORTED, "a BAR that it has not");
	expect(pci_bar(PCI, EDU, 6, &range) == PCI_BAD_REQUEST, "a BAR that nothing has");
	expect(pci_find(PCI, CARD, &found) == PCI_OK && found.device == 0x100e &&
			found.function >> 8 != 0 && found.interrupt_pin == 1,
		"the card behind the bridge");
	expect(pci_bar(PCI, CARD, 0, &range) == PCI_OK && range.size == 0x20000 &&
			range.address >= 0x40000000,
		"its registers");
	expect(pci_bar(PCI, CARD, 1, &range) == PCI_OK && range.flags == PCI_BAR_PORTS,
		"its ports");
	expect(pci_find(PCI, ABSENT, &found) == PCI_ABSENT, "a device that is not there");
	expect(pci_find(PCI, NONE, &found) == PCI_NO_GRANT, "a device that is not granted");
	expect(pci_enable(PCI, ABSENT, 0) == PCI_ABSENT, "to enable what is not there");
}

static void use_registers(void) {
	uint32_t value = 0;

	expect(pci_read(PCI, EDU, 0, 4, &value) == PCI_OK && value == 0x11e81234, "identity");
	expect(pci_read(PCI, EDU, 2, 4, &value) == PCI_BAD_REQUEST, "an odd place");
	expect(pci_read(PCI, EDU, 4096, 4, &value) == PCI_BAD_REQUEST, "after the end");
	expect(pci_write(PCI, EDU, COMMAND, 2, 7) == PCI_REFUSED, "the command register");
	expect(pci_write(PCI, EDU, BAR0, 4, 0) == PCI_REFUSED, "a BAR");
	expect(pci_read(PCI, EDU, CAPABILITIES, 1, &value) == PCI_OK &&
			pci_write(PCI, EDU, value, 4, ~0u) == PCI_REFUSED,
		"the MSI capability");
	expect(pci_write(PCI, EDU, LATENCY, 1, 64) == PCI_OK, "the latency timer");
	expect(pci_enable(PCI, EDU, 8) == PCI_BAD_REQUEST, "to enable more than there is");
	expect(pci_enable(PCI, EDU, PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER) == PCI_OK &&
			pci_read(PCI, EDU, COMMAND, 2, &value) == PCI_OK && (value & 7) == 6,
		"to enable memory and bus master");
	expect(pci_set_msi(PCI, CARD, IRQ) == PCI_REFUSED, "MSI without a vector");
	expect(pci_call(PCI, 0, 4) == PCI_BAD_REQUEST && pci_call(PCI, 7, 4) == PCI_BAD_REQUEST &&
			pci_call(PCI, PCI_READ, 2) == PCI_BAD_REQUEST,
		"no requests");
}

// The message's address, the second word of the capability.
static uint32_t msi_address(void) {
	uint32_t start = 0, address = 0;

	expect(pci_read(PCI, EDU, CAPABILITIES, 1, &start) == PCI_OK &&
			pci_read(PCI, EDU, start + 4, 4, &address) == PCI_OK,
		"the message's address");
	return address;
}

static unsigned own_apic(void) {
	unsigned eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx >> 24;
}

void init(void) {
	find_all();
	use_registers();
	expect((card_vaddr[EDU_IDENTITY] & 0xff) == 0xed, "the device's registers");
	card_vaddr[EDU_INVERT] = 0x12345678;
	expect(card_vaddr[EDU_INVERT] == ~0x12345678u, "that it works");
	expect(pci_set_msi(PCI, EDU, IRQ) == PCI_OK, "MSI");
	// Where it is remapped the kernel knows the core.
	expect(msi_address() == (0xfee00000 | own_apic() << 12) || msi_address() == 0xfee00018,
		"that MSI comes to this core");
	card_vaddr[EDU_RAISE] = 5;
}

void notified(microkit_channel channel) {
	expect(channel == IRQ, "the channel");
	card_vaddr[EDU_LOWER] = 5;
	microkit_irq_ack(IRQ);
	microkit_dbg_puts(wrong ? "driver: something is wrong\n" : "driver: all right\n");
}
