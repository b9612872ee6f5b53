// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a PCI device's messages and lines.
#include "../check.h"
#include "pci_rig.h"

static unsigned msix(void) { return function.msix.capability; }

static void entry(unsigned vector, uint64_t address, uint32_t data, uint32_t control) {
	uint64_t base = 0xc0000000 + TABLE + 16 * vector;

	bus_write(&memory, base, BUS_WIDTH_8, address);
	bus_write(&memory, base + 8, BUS_WIDTH_4, data);
	bus_write(&memory, base + 12, BUS_WIDTH_4, control);
}

// With its table in place, MSI-X on, and a message for each vector.
static void fresh_msix(void) {
	fresh();
	move(SLOT, HIGH_BAR, 0xc0000000);
	command(SLOT, ALL);
	set(SLOT, msix(), (uint32_t)PCI_MSIX_ENABLE << 16);
	for (unsigned i = 0; i < VECTORS; i++)
		entry(i, MESSAGE_ADDRESS, VECTOR + i, 0);
}

// The vector that came, which ends; -1: none.
static int taken(void) {
	int vector = lapic_pending(&lapic);

	if (vector == LAPIC_NONE) return LAPIC_NONE;
	lapic_acknowledge(&lapic, (uint8_t)vector);
	lapic_end_of_interrupt(&lapic);
	return vector;
}

static void test_msix(void) {
	fresh_msix();
	pci_message(&function, 1);
	check_equal(taken(), VECTOR + 1);
	check_equal(taken(), LAPIC_NONE);
	// Masked: pending, until it is unmasked.
	entry(1, MESSAGE_ADDRESS, VECTOR + 1, PCI_MSIX_MASKED);
	pci_message(&function, 1);
	pci_message(&function, 1);
	check_equal(taken(), LAPIC_NONE);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 0x200, 8), 2);
	bus_write(&memory, 0xc0000000 + TABLE + 0x200, 4, 0); // read-only
	entry(1, MESSAGE_ADDRESS, VECTOR + 2, 0);
	check_equal(taken(), VECTOR + 2);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 0x200, 8), 0);
	// All of them masked.
	set(SLOT, msix(), (uint32_t)(PCI_MSIX_ENABLE | PCI_MSIX_ALL_MASKED) << 16);
	pci_message(&function, 0);
	pci_message(&function, 2);
	check_equal(taken(), LAPIC_NONE);
	set(SLOT, msix(), (uint32_t)PCI_MSIX_ENABLE << 16);
	check_equal(taken(), VECTOR + 2);
	check_equal(taken(), VECTOR);
	// Off: nothing is sent, nothing pending.
	set(SLOT, msix(), 0);
	pci_message(&function, 0);
	set(SLOT, msix(), (uint32_t)PCI_MSIX_ENABLE << 16);
	check_equal(taken(), LAPIC_NONE);
	pci_function_reset(&function);
	command(SLOT, ALL);
	move(SLOT, HIGH_BAR, 0xc0000000);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 12, 4), PCI_MSIX_MASKED);
}

static void test_msix_bad(void) {
	fresh_msix();
	pci_message(&function, VECTORS);
	pci_message(&function, 31);
	pci_message(&function, UINT32_MAX);
	check_equal(taken(), LAPIC_NONE);
	// To nowhere: RAM, above 4 GiB, a mode that is none.
	const struct {
		uint64_t address;
		uint32_t data;
	} nowhere[] = {{0x1000, VECTOR}, {0x1fee00000, VECTOR}, {MESSAGE_ADDRESS, 3 << 8 | VECTOR},
		{MESSAGE_ADDRESS | 7 << 12, VECTOR}, {0, 0}, {UINT64_MAX, UINT32_MAX}};

	for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		entry(0, nowhere[i].address, nowhere[i].data, 0);
		pci_message(&function, 0);
		check_equal(taken(), LAPIC_NONE);
	}
	// Of an entry the low address bits and all but the mask are 0.
	entry(0, UINT64_MAX, UINT32_MAX, UINT32_MAX);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE, 8), ~3ull);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 8, 8), 0x1ffffffffull);
	// Odd widths and places, entries that are not there, the reserved rest.
	bus_write(&memory, 0xc0000000 + TABLE, 2, 0);
	bus_write(&memory, 0xc0000000 + TABLE + 2, 4, 0);
	bus_write(&memory, 0xc0000000 + TABLE + 4, 8, 0);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE, 8), ~3ull);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE, 1), 0xff);
	entry(VECTORS, UINT64_MAX, UINT32_MAX, UINT32_MAX);
	entry(31, UINT64_MAX, UINT32_MAX, UINT32_MAX);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 16 * VECTORS, 8), 0);
	check_equal(bus_read(&memory, 0xc0000000 + TABLE + 0x204, 4), 0);
	check_equal(probe.reads + probe.writes, 0);
	// Who may not access memory cannot send.
	entry(0, MESSAGE_ADDRESS, VECTOR, 0);
	command(SLOT, BOTH);
	pci_message(&function, 0);
	check_equal(taken(), LAPIC_NONE);
}

static void test_msi(void) {
	fresh();
	command(OTHER, ALL);
	set(OTHER, 0x44, MESSAGE_ADDRESS | 3);
	set(OTHER, 0x48, 0);
	set(OTHER, 0x4c, 0xffff0000 | VECTOR);
	pci_message(&other, 0);
	check_equal(taken(), LAPIC_NONE);
	set(OTHER, 0x40, (uint32_t)PCI_MSI_ENABLE << 16);
	check_equal(taken(), LAPIC_NONE);
	pci_message(&other, 5);
	check_equal(taken(), VECTOR);
	set(OTHER, 0x50, 1);
	pci_message(&other, 0);
	check_equal(taken(), LAPIC_NONE);
	check_equal(get(OTHER, 0x54), 1);
	set(OTHER, 0x54, 0);
	set(OTHER, 0x50, 0);
	check_equal(taken(), VECTOR);
	check_equal(get(OTHER, 0x54), 0);
	set(OTHER, 0x50, 1);
	pci_message(&other, 0);
	pci_function_reset(&other);
	check_equal(get(OTHER, 0x54), 0);
}

static uint32_t pin_level(void) { return ioapic.levels >> PIN & 1; }

static void test_lines(void) {
	fresh();
	check_equal(get(SLOT, 0x3c), 1 << 8);
	bus_write(&memory, place(SLOT, 0x3c), 1, PIN);
	check_equal(get(SLOT, 0x3c), 1 << 8 | PIN);
	pci_interrupt(&function, true);
	check_equal(pin_level(), 1);
	check(get(SLOT, COMMAND) & PCI_STATUS_INTERRUPT << 16);
	// Another device on the same pin.
	pci_interrupt(&other, true);
	pci_interrupt(&function, false);
	check_equal(pin_level(), 1);
	check(!(get(SLOT, COMMAND) & PCI_STATUS_INTERRUPT << 16));
	pci_interrupt(&other, false);
	check_equal(ioapic.levels, 0);
	// Switched off; the status tells it all the same.
	pci_interrupt(&function, true);
	command(SLOT, PCI_COMMAND_NO_INTX);
	check_equal(pin_level(), 0);
	check(get(SLOT, COMMAND) & PCI_STATUS_INTERRUPT << 16);
	command(SLOT, 0);
	check_equal(pin_level(), 1);
	set(SLOT, msix(), (uint32_t)PCI_MSIX_ENABLE << 16);
	check_equal(pin_level(), 0);
	set(SLOT, msix(), 0);
	check_equal(pin_level(), 1);
	pci_host_reset(&host);
	check_equal(ioapic.levels, 0);
}

// Level triggered: it comes again until the device is content.
static void test_level(void) {
	fresh();
	bus_write(&memory, IOAPIC_ADDRESS, 4, 0x10 + 2 * PIN);
	bus_write(&memory, IOAPIC_ADDRESS + 0x10, 4, 1 << 15 | 1 << 13 | LINE_VECTOR);
	pci_interrupt(&function, true);
	check_equal(taken(), LINE_VECTOR);
	check_equal(taken(), LINE_VECTOR);
	pci_interrupt(&other, true);
	pci_interrupt(&function, false);
	check_equal(taken(), LINE_VECTOR);
	pci_interrupt(&other, false);
	check_equal(taken(), LINE_VECTOR); // was on its way
	check_equal(taken(), LAPIC_NONE);
}

int main(void) {
	static const struct test tests[] = {
		{"pci.msix", "MSI-X sends, masks and keeps pending", test_msix},
		{"pci.msix_bad", "senseless messages and accesses do nothing", test_msix_bad},
		{"pci.msi", "MSI sends, masks and keeps pending", test_msi},
		{"pci.lines", "lines of slots share a pin", test_lines},
		{"pci.level", "a line that stays high interrupts again", test_level},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
