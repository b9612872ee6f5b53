// SPDX-License-Identifier: BSD-2-Clause
// The fuzzer of the guest's PCI bus with an entropy device and a watchdog, by ports, registers,
// BARs and rings. After each operation the bus must be in order, read-only registers as they were,
// and lines as wanted.
#include "../../unit/vmm/pci_rig.h"
#include "fuzz.h"

#include <vmm/device/watchdog.h>
#include <vmm/virtio/pci.h>
#include <vmm/virtio/rng.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED)

enum { DEVICE = 1, DOG = 29, RAM = 0x10000, SLOTS_USED = 5, HERTZ = 1000000 };

static uint8_t ram[RAM];
static const struct guest_memory guest_memory = {ram, RAM, 40};
static struct virtio_pci transport;
static struct rng rng;
static struct watchdog watchdog;
static uint64_t now;
static uint32_t before[PCI_SLOTS][PCI_WORDS];
static const unsigned slots[SLOTS_USED] = {0, DEVICE, SLOT, OTHER, DOG};

static void must(bool holds, const char *rule) {
	if (holds) return;
	fprintf(stderr, "does not hold: %s\n", rule);
	abort();
}

static bool fill(void *context, uint8_t *bytes, uint32_t length) {
	const bool *failed = context;

	if (!*failed) memset(bytes, 0xa5, length);
	return !*failed;
}

static bool failed;

static uint64_t read_clock(void) { return now; }

static void plug(void) {
	static const struct clock clock = {.read = read_clock, .hertz = HERTZ};

	fresh();
	failed = false;
	memset(ram, 0, sizeof(ram));
	memset(&rng, 0, sizeof(rng));
	rng.fill = fill;
	rng.context = &failed;
	rng_init(&rng);
	rng.device.memory = &guest_memory;
	virtio_pci_init(&transport, &rng.device);
	must(pci_host_add(&host, DEVICE, &transport.function), "the slot is free");
	now = 0;
	watchdog = (struct watchdog){.clock = &clock};
	watchdog_init(&watchdog);
	must(pci_host_add(&host, DOG, &watchdog.function), "the slot is free");
	pci_host_reset(&host);
	virtio_pci_reset(&transport);
	for (unsigned i = 0; i < SLOTS_USED; i++)
		memcpy(before[slots[i]], host.slots[slots[i]]->words, sizeof(before[0]));
}

static bool is_on(const struct bus *bus, const struct bus_window *window) {
	const struct bus_window *each = bus->first;

	while (each && each != window)
		each = each->next;
	return each;
}

static void check_bus(const struct bus *bus) {
	for (const struct bus_window *each = bus->first; each; each = each->next) {
		must(each->base + (each->size - 1) >= each->base, "no window wraps");
		must(!each->next || each->next->base > each->base + (each->size - 1),
			"windows ascend without overlaps");
	}
	must(!bus->recent || is_on(bus, bus->recent), "the recent window is on the bus");
}

static bool overlaps(const struct bus *bus, const struct bus_window *window) {
	uint64_t last = window->base + (window->size - 1);

	if (last < window->base) return true;
	for (const struct bus_window *each = bus->first; each; each = each->next)
		if (each->base <= last && window->base <= each->base + (each->size - 1))
			return true;
	return false;
}

static void check_bars(const struct pci_function *tested) {
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &tested->bars[i];
		bool is_port = bar->flags & PCI_BAR_IS_PORTS;
		const struct bus *bus = is_port ? &ports : &memory;
		bool enabled = tested->words[1] &
			(is_port ? PCI_COMMAND_PORTS : PCI_COMMAND_MEMORY);

		if (bar->window.size == 0) continue;
		must(bar->mapped == is_on(bus, &bar->window), "a mapped BAR is on its bus");
		must(!bar->mapped || enabled, "a BAR that is off does not answer");
		must(!enabled || bar->mapped || overlaps(bus, &bar->window),
			"a BAR whose place is free answers");
	}
}

static void check_registers(unsigned slot) {
	const struct pci_function *tested = host.slots[slot];

	for (unsigned i = 0; i < PCI_WORDS; i++) {
		uint32_t kept = ~tested->writable[i];

		if (i == PCI_REGISTER_COMMAND / 4) kept &= ~(PCI_STATUS_INTERRUPT << 16);
		if (tested->msi != 0 && i == (tested->msi + PCI_MSI_PENDING) / 4u) kept = ~1u;
		must((tested->words[i] & kept) == (before[slot][i] & kept),
			"what is read-only stays");
	}
}

static void check_lines(void) {
	uint32_t wanted = 0;

	for (unsigned i = 0; i < SLOTS_USED; i++) {
		const struct pci_function *tested = host.slots[slots[i]];
		bool off = tested->words[1] & PCI_COMMAND_NO_INTX;

		if (tested->asserted && !off && !pci_uses_messages(tested))
			wanted |= 1u << (PCI_PIN_BASE + slots[i] % PCI_PINS);
	}
	must(ioapic.levels == wanted, "a pin is high while a slot's line is");
}

// Its longest stage has 2^35 clocks of 33 MHz, some 1041 seconds.
static void check_watchdog(void) {
	uint32_t lock = watchdog.function.words[WATCHDOG_LOCK / 4];
	const uint32_t counts = WATCHDOG_LOCK_ENABLE | WATCHDOG_LOCK_FREE;

	must(lock == watchdog.lock, "the lock register shows what holds");
	must(watchdog.expiry == CLOCK_NEVER || (lock & counts) == WATCHDOG_LOCK_ENABLE,
		"a watchdog that is off does not count");
	must(watchdog.expiry == CLOCK_NEVER || watchdog.expiry <= now + 1042ull * HERTZ,
		"no stage is longer than the counter");
}

static void check_all(void) {
	check_bus(&memory);
	check_bus(&ports);
	for (unsigned i = 0; i < SLOTS_USED; i++) {
		check_bars(host.slots[slots[i]]);
		check_registers(slots[i]);
	}
	check_lines();
	check_watchdog();
}

static enum bus_width take_width(struct input *input) {
	return (enum bus_width)(1u << input_byte(input) % 4);
}

static void access(
	struct input *input, struct bus *bus, uint64_t address, enum bus_width width, bool write) {
	if (write)
		bus_write(bus, address, width, input_number(input, width));
	else
		(void)bus_read(bus, address, width);
}

// Registers of a slot that has a function, mostly.
static void by_memory(struct input *input, bool write) {
	unsigned slot = (unsigned)input_byte(input);
	uint64_t offset = input_byte(input);
	enum bus_width width = take_width(input);

	// Now and then beyond the registers, and into the next functions.
	if (slot >= 0xf0) offset = input_number(input, 2);
	slot = slot < PCI_SLOTS ? slot : slots[slot % SLOTS_USED];
	access(input, &memory, place(slot, 0) + offset, width, write);
}

static void by_ports(struct input *input, bool write) {
	uint64_t port = PCI_PORT_ADDRESS + input_byte(input) % 8;
	enum bus_width width = take_width(input);
	uint32_t address;

	if (port == PCI_PORT_DATA) {
		address = PCI_ADDRESS_ENABLE | slots[input_byte(input) % SLOTS_USED] << 11 |
			(uint32_t)input_byte(input);
		bus_write(&ports, PCI_PORT_ADDRESS, BUS_WIDTH_4, address);
	}
	access(input, &ports, port, width, write);
}

// Where a BAR is now, answers it or not; and its offsets that matter.
static void by_bar(struct input *input, bool write) {
	const struct pci_function *used =
		host.slots[slots[1 + input_byte(input) % (SLOTS_USED - 1)]];
	const struct pci_bar *bar = &used->bars[input_byte(input) % PCI_BARS];
	uint64_t offset = input_number(input, 2);
	enum bus_width width = take_width(input);
	struct bus *bus = bar->flags & PCI_BAR_IS_PORTS ? &ports : &memory;

	access(input, bus, bar->window.base + (offset & 0x33ff), width, write);
}

// Puts the device's BARs and its queue where a driver would, so that what follows goes deep.
static void set_up(struct input *input) {
	static const uint8_t steps[] = {1, 3, 11, 15};
	struct virtqueue *queue = &rng.queue;
	uint64_t features;

	move(DEVICE, 0, 0xc0000000);
	move(DEVICE, 2, 0x1000);
	move(DOG, 0, 0xc0010000);
	command(DOG, ALL);
	command(DEVICE, ALL);
	features = (input_number(input, 4) << 28 | VIRTIO_F_VERSION_1) & FEATURES;
	virtio_accept(&rng.device, 0, (uint32_t)features);
	virtio_accept(&rng.device, 1, (uint32_t)(features >> 32));
	for (unsigned i = 0; i < sizeof(steps); i++) {
		bus_write(&memory, 0xc0000014, BUS_WIDTH_1, steps[i]);
		if (steps[i] != 11) continue;
		virtqueue_set_size(queue, (uint16_t)(1u << input_byte(input) % 7));
		for (unsigned j = 0; j < VIRTQUEUE_AREAS; j++)
			virtqueue_set_address(queue, (enum virtqueue_area)j, 0x1000 * (j + 1));
		virtqueue_enable(queue);
	}
}

static void scribble(struct input *input) {
	uint64_t place_in_ram = input_number(input, 2) & 0x30ff;
	uint64_t value = input_number(input, 8);

	memcpy(ram + place_in_ram, &value, sizeof(value));
}

static void operate(struct input *input) {
	uint8_t what = (uint8_t)input_byte(input);
	bool write = what & 0x80;

	switch (what & 0x0f) {
	case 0: pci_message(host.slots[slots[what >> 6]], (unsigned)input_byte(input)); return;
	case 1: pci_interrupt(what & 0x40 ? &function : &other, write); return;
	case 2:
		virtio_config_changed(&rng.device);
		now += input_number(input, 4);
		(void)watchdog_poll(&watchdog);
		return;
	case 3: set_up(input); return;
	case 4:
		if (what != 0xf4) return;
		pci_host_reset(&host);
		virtio_pci_reset(&transport);
		watchdog_reset(&watchdog);
		return;
	case 5: failed = what == 0xf5; return;
	case 6:
	case 7: scribble(input); return;
	case 8:
	case 9: by_ports(input, write); return;
	case 10:
	case 11: by_memory(input, write); return;
	default: by_bar(input, write); return;
	}
}

const struct rig rigs[] = {{.name = "pci"}};
const unsigned rig_count = 1;

unsigned fuzz_run(const uint8_t *bytes, size_t size) {
	struct input input = {bytes, size};
	unsigned operations = 0;

	(void)input_byte(&input); // which of one
	plug();
	while (input.left > 0) {
		operate(&input);
		check_all();
		operations++;
	}
	return operations;
}
