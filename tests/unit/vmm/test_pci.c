// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the guest's PCI bus: registers and base addresses, as the guest reaches them.
#include "../check.h"
#include "pci_rig.h"

static void test_ports(void) {
	const struct {
		uint64_t offset, width, value;
	} reads[] = {{0, 4, 0x56781234}, {0, 2, 0x1234}, {2, 2, 0x5678}, {1, 2, 0x7812},
		{3, 1, 0x56}, {3, 2, 0xffff}, {1, 4, 0xffffffff}};

	fresh();
	bus_write(&ports, 0xcf8, 4, 0x80000000 | SLOT << 11);
	for (unsigned i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		check_equal(
			bus_read(&ports, 0xcfc + reads[i].offset, (enum bus_width)reads[i].width),
			reads[i].value);
	check_equal(bus_read(&ports, 0xcf8, 4), 0x80000000 | SLOT << 11);
	// Reserved bits of the address are 0.
	bus_write(&ports, 0xcf8, 4, 0xffffffff);
	check_equal(bus_read(&ports, 0xcf8, 4), 0x80fffffc);
	check_equal(bus_read(&ports, 0xcfc, 4), 0xffffffff);
	// Another function, another bus, an empty slot.
	const uint32_t absent[] = {SLOT << 11 | 1 << 8, 1 << 16 | SLOT << 11, 5 << 11};

	for (unsigned i = 0; i < 3; i++) {
		bus_write(&ports, 0xcf8, 4, 0x80000000 | absent[i]);
		check_equal(bus_read(&ports, 0xcfc, 4), 0xffffffff);
		bus_write(&ports, 0xcfc, 4, 0);
	}
	// Without the enable bit the data port is no access to registers.
	bus_write(&ports, 0xcf8, 4, SLOT << 11);
	check_equal(bus_read(&ports, 0xcfc, 4), 0xffffffff);
	bus_write(&ports, 0xcf8, 4, 0x80000000 | SLOT << 11 | COMMAND);
	bus_write(&ports, 0xcfd, 1, 0xff);
	check_equal(get(SLOT, COMMAND) & 0xffff, 0x0500);
}

static void test_beside(void) {
	fresh();
	bus_write(&ports, 0xcf8, 4, 0x80000000 | SLOT << 11);
	check_equal(bus_read(&ports, 0xcf9, 1), 0x5a);
	bus_write(&ports, 0xcf9, 1, 6);
	check_equal(beside, 6);
	bus_write(&ports, 0xcf8, 2, 0x1111);
	bus_write(&ports, 0xcf8, 1, 0x11);
	bus_write(&ports, 0xcfa, 4, 0x22222222);
	check_equal(bus_read(&ports, 0xcf8, 2), 0xffff);
	check_equal(bus_read(&ports, 0xcfa, 4), 0xffffffff);
	check_equal(bus_read(&ports, 0xcf8, 4), 0x80000000 | SLOT << 11);
}

static void test_memory(void) {
	fresh();
	check_equal(get(SLOT, 0), 0x56781234);
	check_equal(bus_read(&memory, place(SLOT, 2), 2), 0x5678);
	check_equal(bus_read(&memory, place(SLOT, 3), 2), 0xffff);
	check_equal(bus_read(&memory, place(SLOT, 0), 8), UINT64_MAX);
	check_equal(get(SLOT, 8), 0x02000009);
	check_equal(get(SLOT, 0x2c), 0x22221111);
	check_equal(get(SLOT, 0x0c), 0); // header of a device with one function
	check_equal(get(SLOT, 0x100), 0); // no extended capabilities
	check_equal(get(SLOT, 0xffc), 0);
	check_equal(bus_read(&memory, place(SLOT, 0) + 0x1000, 4), 0xffffffff);
	check_equal(get(5, 0), 0xffffffff);
	check_equal(get(5, 0x100), 0xffffffff);
	check_equal(get(0, 0), 0x00081b36);
	check_equal(get(0, 8), 0x06000000);
	check_equal(get(0, COMMAND), 0);
	set(SLOT, 0x100, 1);
	set(5, COMMAND, 1);
	set(0, COMMAND, 0xffffffff);
	check_equal(get(0, COMMAND), 0x0144);
	check(!pci_host_add(&host, 0, &other) && !pci_host_add(&host, SLOT, &other));
	check(!pci_host_add(&host, PCI_SLOTS, &other));
}

// All ones, then all zeros, into each register: what may not change does not.
static void test_masks(void) {
	static const uint32_t writable[PCI_WORDS] = {[1] = 0x0547,
		[4] = 0xffffc000,
		[5] = 0xffffffff,
		[6] = 0xfffff000,
		[7] = 0xffffffe0,
		[15] = 0xff,
		[16] = 0xc0000000,
		[21] = 0xffff00ff};

	fresh();
	uint32_t before[PCI_WORDS];

	for (unsigned i = 0; i < PCI_WORDS; i++)
		before[i] = get(SLOT, 4 * i);
	for (unsigned i = 0; i < PCI_WORDS; i++) {
		set(SLOT, 4 * i, 0xffffffff);
		check_equal(get(SLOT, 4 * i), before[i] | writable[i]);
		set(SLOT, 4 * i, 0);
		check_equal(get(SLOT, 4 * i), before[i] & ~writable[i]);
	}
	for (unsigned i = 0; i < PCI_SPACE; i++)
		bus_write(&memory, place(SLOT, i), 1, 0xff);
	for (unsigned i = 0; i < PCI_WORDS; i++)
		check_equal(get(SLOT, 4 * i), before[i] | writable[i]);
	pci_host_reset(&host);
	for (unsigned i = 0; i < PCI_WORDS; i++)
		check_equal(get(SLOT, 4 * i), before[i]);
}

static void test_capabilities(void) {
	fresh();
	check_equal(get(SLOT, COMMAND) >> 16, PCI_STATUS_CAPABILITIES);
	check_equal(get(SLOT, 0x34), 0x40);
	check_equal(get(SLOT, 0x40), (VECTORS - 1u) << 16 | 0x4c << 8 | 0x11);
	check_equal(get(SLOT, 0x44), TABLE | HIGH_BAR);
	check_equal(get(SLOT, 0x48), (TABLE + 0x200) | HIGH_BAR);
	check_equal(own, 0x4c);
	check_equal(get(SLOT, 0x4c), 0x05100009);
	check_equal(get(OTHER, 0x40), (uint32_t)(PCI_MSI_64_BIT | PCI_MSI_MASKS) << 16 | 5);
	// The device is notified of its own registers only.
	unsigned reads = probe.registers_read;

	(void)get(SLOT, 0x3c);
	check_equal(probe.registers_read, reads);
	check_equal(bus_read(&memory, place(SLOT, 0x51), 1), 0);
	check_equal(probe.registers_read, reads + 1);
	bus_write(&memory, place(SLOT, own + 9), 1, 0xff);
	check_equal(probe.registers_written, 1);
	check_equal(probe.changed, own + 8);
	check_equal(get(SLOT, own + 8), 0);
	command(SLOT, BOTH);
	check_equal(probe.registers_written, 2);
	check_equal(probe.changed, COMMAND);
}

static void test_sizes(void) {
	fresh();
	for (unsigned i = 0; i < PCI_BARS; i++)
		set(SLOT, PCI_REGISTER_BAR + 4 * i, 0xffffffff);
	check_equal(get(SLOT, 0x10), 0xffffc004);
	check_equal(get(SLOT, 0x14), 0xffffffff);
	check_equal(get(SLOT, 0x18), 0xfffff000);
	check_equal(get(SLOT, 0x1c), 0xffffffe1);
	check_equal(get(SLOT, 0x20), 0);
	check_equal(get(SLOT, 0x24), 0);
	check_equal(get(SLOT, 0x30), 0); // no ROM
	// Sizing while they answer harms nothing.
	command(SLOT, BOTH);
	set(SLOT, 0x10, 0);
	set(SLOT, 0x10, 0xffffffff);
	check(answers(&probe, &memory, HIGH_BAR, ~0ull - 3));
	set(SLOT, 0x1c, 0xffffffff);
	command(SLOT, 0);
	check(!answers(&probe, &memory, HIGH_BAR, ~0ull - 3));
}

static void test_moves(void) {
	fresh();
	move(SLOT, HIGH_BAR, 0x900000000);
	move(SLOT, LOW_BAR, 0xc0001000);
	move(SLOT, PORT_BAR, 0x1020);
	check(!answers(&probe, &memory, HIGH_BAR, 0x900000000));
	command(SLOT, PCI_COMMAND_MEMORY);
	check(answers(&probe, &memory, HIGH_BAR, 0x900003ffc));
	check_equal(probe.offset, 0x3ffc);
	check(answers(&probe, &memory, LOW_BAR, 0xc0001000));
	check(!answers(&probe, &ports, PORT_BAR, 0x1020));
	command(SLOT, PCI_COMMAND_PORTS);
	check(!answers(&probe, &memory, LOW_BAR, 0xc0001000));
	check(answers(&probe, &ports, PORT_BAR, 0x103c));
	bus_write(&ports, 0x1022, 2, 0xabcd);
	check(probe.writes == 1 && probe.value == 0xabcd && probe.offset == 2);
	command(SLOT, BOTH);
	move(SLOT, PORT_BAR, 0x2000);
	check(!answers(&probe, &ports, PORT_BAR, 0x1020));
	check(answers(&probe, &ports, PORT_BAR, 0x2000));
	move(SLOT, HIGH_BAR, 0xd0000000);
	check(!answers(&probe, &memory, HIGH_BAR, 0x900000000));
	check(answers(&probe, &memory, HIGH_BAR, 0xd0000000));
	// One byte of the register moves it, too.
	bus_write(&memory, place(SLOT, 0x19), 1, 0x50);
	check(answers(&probe, &memory, LOW_BAR, 0xc0005000));
}

// BARs onto each other and onto other windows: the one that came first answers.
static void test_overlaps(void) {
	fresh();
	move(SLOT, LOW_BAR, 0xc0000000);
	command(SLOT, BOTH);
	move(OTHER, LOW_BAR, 0xc0000000);
	command(OTHER, BOTH);
	check(answers(&probe, &memory, LOW_BAR, 0xc0000000));
	check_equal(other_probe.reads, 0);
	// It answers as soon as the place is free.
	move(SLOT, LOW_BAR, 0xc0002000);
	check(answers(&probe, &memory, LOW_BAR, 0xc0002000));
	check(answers(&other_probe, &memory, LOW_BAR, 0xc0000000));
	// Two that change places.
	move(SLOT, LOW_BAR, 0xc0000000);
	move(OTHER, LOW_BAR, 0xc0002000);
	check(answers(&probe, &memory, LOW_BAR, 0xc0000000));
	check(answers(&other_probe, &memory, LOW_BAR, 0xc0002000));
	// Two of one function.
	move(OTHER, LOW_BAR, 0xc0009000);
	move(SLOT, HIGH_BAR, 0xc0000000);
	check(answers(&probe, &memory, LOW_BAR, 0xc0000000));
	check(!answers(&probe, &memory, HIGH_BAR, 0xc0001000));
	command(SLOT, 0);
	move(SLOT, LOW_BAR, 0xc0008000);
	command(SLOT, BOTH);
	check(answers(&probe, &memory, HIGH_BAR, 0xc0001000));
	// The I/O APIC, the registers themselves, the configuration ports.
	move(SLOT, LOW_BAR, IOAPIC_ADDRESS);
	check_equal(bus_read(&memory, IOAPIC_ADDRESS, 4), 0);
	move(SLOT, LOW_BAR, PCI_ECAM_BASE);
	check_equal(get(0, 0), 0x00081b36);
	move(SLOT, PORT_BAR, 0xce0);
	check_equal(bus_read(&ports, 0xcf8, 4), 0);
	check(!answers(&probe, &ports, PORT_BAR, 0xce0));
	move(SLOT, LOW_BAR, 0xc0008000);
	check(answers(&probe, &memory, LOW_BAR, 0xc0008000));
}

int main(void) {
	static const struct test tests[] = {
		{"pci.ports", "the data port shows the register that was selected", test_ports},
		{"pci.beside", "other accesses to the ports are no configuration", test_beside},
		{"pci.memory", "ECAM shows each function and nothing else", test_memory},
		{"pci.masks", "each register changes in its writable bits only", test_masks},
		{"pci.capabilities", "capabilities are linked in order", test_capabilities},
		{"pci.sizes", "all ones tell the size of a base address", test_sizes},
		{"pci.moves", "base addresses answer where and while the guest says", test_moves},
		{"pci.overlaps", "of two on one place the first answers", test_overlaps},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
