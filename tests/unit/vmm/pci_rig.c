// SPDX-License-Identifier: BSD-2-Clause
// A PCI bus with two functions.
#include "pci_rig.h"

#include "../check.h"

struct bus memory, ports;
static struct fabric fabric;
struct lapic lapic;
struct ioapic ioapic;
struct pci_host host;
struct pci_function function, other;
struct probe probe, other_probe;
static const struct clock guest_clock = {0};
unsigned own;
uint8_t beside;

static uint64_t probe_read(void *device, unsigned bar, uint64_t offset, enum bus_width) {
	struct probe *found = device;

	found->bar = bar;
	found->offset = offset;
	found->reads++;
	return 0x1122334455667788;
}

static void probe_write(
	void *device, unsigned bar, uint64_t offset, enum bus_width, uint64_t value) {
	struct probe *found = device;

	found->bar = bar;
	found->offset = offset;
	found->value = value;
	found->writes++;
}

static void probe_register_read(void *device, unsigned) {
	((struct probe *)device)->registers_read++;
}

static void probe_register_written(void *device, unsigned offset) {
	struct probe *found = device;

	found->registers_written++;
	found->changed = offset;
}

static const struct pci_ops probe_ops = {
	probe_read, probe_write, probe_register_read, probe_register_written};
static const struct pci_ops plain_ops = {probe_read, probe_write, NULL, NULL};

static uint64_t beside_read(void *, uint64_t, enum bus_width) { return 0x5a; }

static void beside_write(void *, uint64_t, enum bus_width, uint64_t value) {
	beside = (uint8_t)value;
}

static const struct bus_ops beside_ops = {"beside", BUS_WIDTH_1, beside_read, beside_write};
static struct bus_window beside_window;

static void describe(void) {
	static const uint8_t own_bytes[16] = {0, 0, 16, 5, 0xaa};
	const struct pci_identity identity = {0x1234, 0x5678, 0x0200, 9, 0x1111, 0x2222};

	pci_describe(&function, &identity, &probe_ops, &probe);
	pci_describe_bar(&function, HIGH_BAR, PCI_BAR_IS_64_BIT, HIGH_SIZE);
	pci_describe_bar(&function, LOW_BAR, 0, LOW_SIZE);
	pci_describe_bar(&function, PORT_BAR, PCI_BAR_IS_PORTS, PORTS);
	pci_describe_msix(&function, HIGH_BAR, TABLE, VECTORS);
	own = pci_describe_capability(
		&function, PCI_CAPABILITY_VENDOR, own_bytes, sizeof(own_bytes));
	function.writable[own / 4 + 2] = 0xffff00ff;
	pci_describe_line(&function);
	pci_describe(&other, &identity, &plain_ops, &other_probe);
	pci_describe_bar(&other, LOW_BAR, 0, LOW_SIZE);
	pci_describe_msi(&other);
	pci_describe_line(&other);
}

static void fresh_irqs(void) {
	fabric = (struct fabric){0};
	lapic = (struct lapic){.clock = &guest_clock};
	fabric_add_lapic(&fabric, &lapic);
	lapic_reset(&lapic);
	lapic_register_write(&lapic, LAPIC_SPURIOUS, 0x1ff);
	ioapic = (struct ioapic){0};
	fabric_add_ioapic(&fabric, &ioapic);
	ioapic_reset(&ioapic);
}

void fresh(void) {
	memory = ports = (struct bus){0};
	host = (struct pci_host){0};
	probe = other_probe = (struct probe){0};
	fresh_irqs();
	check(ioapic_attach(&ioapic, &memory));
	for (unsigned i = 0; i < PCI_PINS; i++)
		host.lines[i] = (struct line){
			ioapic_pin_changed, &ioapic, PCI_PIN_BASE + i, LINE_LOW};
	check(pci_host_attach(&host, &memory, &ports, &fabric));
	beside_window = (struct bus_window){&beside_ops, NULL, 0xcf9, 1, NULL};
	check(bus_add(&host.beside, &beside_window));
	describe();
	check(pci_host_add(&host, SLOT, &function) && pci_host_add(&host, OTHER, &other));
	pci_host_reset(&host);
}

uint64_t place(unsigned slot, unsigned offset) { return PCI_ECAM_BASE + (slot << 15) + offset; }

uint32_t get(unsigned slot, unsigned offset) {
	return (uint32_t)bus_read(&memory, place(slot, offset), BUS_WIDTH_4);
}

void set(unsigned slot, unsigned offset, uint32_t value) {
	bus_write(&memory, place(slot, offset), BUS_WIDTH_4, value);
}

void command(unsigned slot, uint16_t value) {
	bus_write(&memory, place(slot, COMMAND), BUS_WIDTH_2, value);
}

void move(unsigned slot, unsigned bar, uint64_t base) {
	set(slot, PCI_REGISTER_BAR + 4 * bar, (uint32_t)base);
	if (slot == SLOT && bar == HIGH_BAR)
		set(slot, PCI_REGISTER_BAR + 4, (uint32_t)(base >> 32));
}

bool answers(const struct probe *wanted, struct bus *bus, unsigned bar, uint64_t address) {
	unsigned before = wanted->reads;
	uint64_t value = bus_read(bus, address, BUS_WIDTH_4);

	return value == 0x55667788 && wanted->reads == before + 1 && wanted->bar == bar;
}
