// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of virtio's PCI transport, with an entropy device behind it: what a driver does with
// registers and BARs.
#include "../check.h"
#include "pci_rig.h"

#include <vmm/virtio/pci.h>
#include <vmm/virtio/rng.h>

#include <virtio/pci.h>

#include <string.h>

enum {
	DEVICE = 1, // its slot
	RAM = 0x10000,
	COMMON = 0xc0000000,
	PORT = 0x1000,
	MSIX_TABLE = COMMON + 0x3000,
	PENDING = MSIX_TABLE + 0x200,
	CONFIG_VECTOR = 0x60,
	QUEUE_VECTOR = 0x61,
	DESCRIPTORS = 0x1000, // addresses in RAM
	DRIVER = 0x2000,
	USED = 0x3000,
	BUFFER = 0x4000,
	PIN_LEVEL = 1 << (PCI_PIN_BASE + DEVICE),
};

static uint8_t ram[RAM];
static const struct guest_memory guest_memory = {ram, RAM, 40};
static struct virtio_pci transport;
static struct rng rng;

static bool fill(void *, uint8_t *bytes, uint32_t length) {
	memset(bytes, 0xa5, length);
	return true;
}

static uint64_t common(unsigned offset, enum bus_width width) {
	return bus_read(&memory, COMMON + offset, width);
}

static void set_common(unsigned offset, enum bus_width width, uint64_t value) {
	bus_write(&memory, COMMON + offset, width, value);
}

static void status(uint8_t value) { set_common(VIRTIO_PCI_STATUS, 1, value); }

static void plug(void) {
	fresh();
	memset(ram, 0, sizeof(ram));
	memset(&rng, 0, sizeof(rng));
	rng.fill = fill;
	rng_init(&rng);
	rng.device.memory = &guest_memory;
	virtio_pci_init(&transport, &rng.device);
	check(pci_host_add(&host, DEVICE, &transport.function));
	pci_host_reset(&host);
	virtio_pci_reset(&transport);
	move(DEVICE, 0, COMMON);
	move(DEVICE, 2, PORT);
	command(DEVICE, ALL);
}

static void use_messages(void) {
	static const uint32_t vectors[] = {CONFIG_VECTOR, QUEUE_VECTOR};

	for (unsigned i = 0; i < 2; i++) {
		bus_write(&memory, MSIX_TABLE + 16 * i, 8, MESSAGE_ADDRESS);
		bus_write(&memory, MSIX_TABLE + 16 * i + 8, 8, vectors[i]);
	}
	set(DEVICE, transport.function.msix.capability, (uint32_t)PCI_MSIX_ENABLE << 16);
	set_common(VIRTIO_PCI_CONFIG_VECTOR, 2, 0);
	check_equal(common(VIRTIO_PCI_CONFIG_VECTOR, 2), 0);
	set_common(VIRTIO_PCI_QUEUE_VECTOR, 2, 1);
	check_equal(common(VIRTIO_PCI_QUEUE_VECTOR, 2), 1);
}

static void set_address(unsigned offset, uint64_t address) {
	set_common(offset, 4, (uint32_t)address);
	set_common(offset + 4, 4, address >> 32);
}

// As a driver brings it up (3.1.1).
static void bring_up(bool messages) {
	status(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	set_common(VIRTIO_PCI_DEVICE_FEATURE_SELECT, 4, 1);
	check_equal(common(VIRTIO_PCI_DEVICE_FEATURE, 4) & 1, 1);
	set_common(VIRTIO_PCI_DRIVER_FEATURE_SELECT, 4, 1);
	set_common(VIRTIO_PCI_DRIVER_FEATURE, 4, VIRTIO_F_VERSION_1 >> 32);
	status(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	check(common(VIRTIO_PCI_STATUS, 1) & VIRTIO_FEATURES_OK);
	set_common(VIRTIO_PCI_QUEUE_SELECT, 2, 0);
	set_common(VIRTIO_PCI_QUEUE_SIZE, 2, 8);
	set_address(VIRTIO_PCI_QUEUE_DESCRIPTORS, DESCRIPTORS);
	set_address(VIRTIO_PCI_QUEUE_DRIVER, DRIVER);
	set_address(VIRTIO_PCI_QUEUE_DEVICE, USED);
	if (messages) use_messages();
	set_common(VIRTIO_PCI_QUEUE_ENABLE, 2, 1);
	check_equal(common(VIRTIO_PCI_QUEUE_ENABLE, 2), 1);
	status(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	check(common(VIRTIO_PCI_STATUS, 1) & VIRTIO_DRIVER_OK);
}

static void start(bool messages) {
	plug();
	bring_up(messages);
}

// A buffer of 16 bytes becomes available.
static void offer(void) {
	const struct virtq_split_descriptor descriptor = {BUFFER, 16, VIRTQ_WRITE, 0};
	struct virtq_split_area *area = (void *)(ram + DRIVER);

	memcpy(ram + DESCRIPTORS, &descriptor, sizeof(descriptor));
	area->index++;
}

static uint16_t used(void) { return ((struct virtq_split_area *)(void *)(ram + USED))->index; }

static int taken(void) {
	int vector = lapic_pending(&lapic);

	if (vector == LAPIC_NONE) return LAPIC_NONE;
	lapic_acknowledge(&lapic, (uint8_t)vector);
	lapic_end_of_interrupt(&lapic);
	return vector;
}

static void test_identity(void) {
	static const uint8_t kinds[] = {VIRTIO_PCI_COMMON, VIRTIO_PCI_NOTIFY, VIRTIO_PCI_NOTIFY,
		VIRTIO_PCI_ISR, VIRTIO_PCI_CONFIG, VIRTIO_PCI_ACCESS};
	unsigned place;

	plug();
	check_equal(get(DEVICE, 0), 0x10441af4);
	check_equal(get(DEVICE, 8), 0x00ff0001);
	check_equal(get(DEVICE, 0x2c), 0x10441af4);
	place = get(DEVICE, 0x34);
	check_equal(get(DEVICE, place) & 0xff, PCI_CAPABILITY_MSIX);
	for (unsigned i = 0; i < sizeof(kinds); i++) {
		place = get(DEVICE, place) >> 8 & 0xff;
		check_equal(get(DEVICE, place) >> 24, kinds[i]);
		check_equal(get(DEVICE, place) & 0xff, PCI_CAPABILITY_VENDOR);
	}
	check_equal(get(DEVICE, place) >> 8 & 0xff, 0);
}

static void test_fields(void) {
	plug();
	check_equal(common(VIRTIO_PCI_QUEUES, 2), 1);
	check_equal(common(VIRTIO_PCI_CONFIG_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	check_equal(common(VIRTIO_PCI_QUEUE_SIZE, 2), 64);
	check_equal(common(VIRTIO_PCI_QUEUE_ENABLE, 2), 0);
	check_equal(common(VIRTIO_PCI_QUEUE_NOTIFY, 2), 0);
	set_address(VIRTIO_PCI_QUEUE_DRIVER, 0x123456789abcdef0);
	check_equal(common(VIRTIO_PCI_QUEUE_DRIVER, 4), 0x9abcdef0);
	check_equal(common(VIRTIO_PCI_QUEUE_DRIVER + 4, 4), 0x12345678);
	check_equal(common(VIRTIO_PCI_QUEUE_DESCRIPTORS, 4), 0);
	// Other widths than the field's, and what may not be written.
	check_equal(common(VIRTIO_PCI_QUEUE_DRIVER, 8), 0);
	check_equal(common(VIRTIO_PCI_QUEUES, 1), 0);
	set_common(VIRTIO_PCI_QUEUE_SIZE, 4, 8);
	set_common(VIRTIO_PCI_QUEUES, 2, 9);
	set_common(VIRTIO_PCI_QUEUE_NOTIFY, 2, 9);
	set_common(VIRTIO_PCI_DEVICE_FEATURE, 4, 0);
	set_common(VIRTIO_PCI_GENERATION, 1, 7);
	check_equal(common(VIRTIO_PCI_QUEUE_SIZE, 2), 64);
	check_equal(common(VIRTIO_PCI_QUEUES, 2), 1);
	// A queue that is not there.
	set_common(VIRTIO_PCI_QUEUE_SELECT, 2, 1);
	set_common(VIRTIO_PCI_QUEUE_SIZE, 2, 8);
	set_common(VIRTIO_PCI_QUEUE_VECTOR, 2, 0);
	set_common(VIRTIO_PCI_QUEUE_ENABLE, 2, 1);
	set_address(VIRTIO_PCI_QUEUE_DRIVER, 1);
	for (unsigned i = VIRTIO_PCI_QUEUE_SIZE; i < VIRTIO_PCI_COMMON_SIZE; i++)
		check_equal(common(i, i < VIRTIO_PCI_QUEUE_DESCRIPTORS ? 2 : 4), 0);
	// Vectors that are not there.
	set_common(VIRTIO_PCI_CONFIG_VECTOR, 2, 2);
	check_equal(common(VIRTIO_PCI_CONFIG_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	// Windows of features that are not there.
	set_common(VIRTIO_PCI_DEVICE_FEATURE_SELECT, 4, 2);
	check_equal(common(VIRTIO_PCI_DEVICE_FEATURE, 4), 0);
	// The gaps.
	check_equal(bus_read(&memory, COMMON + 0x900, 4), 0);
	check_equal(bus_read(&memory, COMMON + 0x1ffe, 4), 0);
	bus_write(&memory, COMMON + 0x900, 4, 1);
	check_equal(bus_read(&ports, PORT, 4), 0);
}

static void test_messages(void) {
	start(true);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(used(), 1);
	check_equal(ram[BUFFER + 15], 0xa5);
	check_equal(taken(), QUEUE_VECTOR);
	check_equal(taken(), LAPIC_NONE);
	check_equal(bus_read(&memory, COMMON + 0x800, 1), 0);
	// By memory, and to a queue that is not there.
	offer();
	bus_write(&memory, COMMON + 0x2000, 2, 1);
	bus_write(&ports, PORT, 2, 0xffff);
	check_equal(used(), 1);
	bus_write(&memory, COMMON + 0x2000, 2, 0);
	check_equal(used(), 2);
	check_equal(taken(), QUEUE_VECTOR);
	// A masked vector waits.
	bus_write(&memory, MSIX_TABLE + 28, 4, PCI_MSIX_MASKED);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(taken(), LAPIC_NONE);
	check_equal(bus_read(&memory, PENDING, 4), 2);
	bus_write(&memory, MSIX_TABLE + 28, 4, 0);
	check_equal(taken(), QUEUE_VECTOR);
	virtio_config_changed(&rng.device);
	check_equal(taken(), CONFIG_VECTOR);
	// No vector: no interrupt.
	set_common(VIRTIO_PCI_QUEUE_VECTOR, 2, VIRTIO_PCI_NO_VECTOR);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(used(), 4);
	check_equal(taken(), LAPIC_NONE);
	// A reset forgets them all.
	status(0);
	check_equal(common(VIRTIO_PCI_STATUS, 1), 0);
	check_equal(common(VIRTIO_PCI_CONFIG_VECTOR, 2), VIRTIO_PCI_NO_VECTOR);
	check_equal(common(VIRTIO_PCI_QUEUE_ENABLE, 2), 0);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(used(), 4);
}

static void test_line(void) {
	start(false);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(ioapic.levels, PIN_LEVEL);
	virtio_config_changed(&rng.device);
	check_equal(
		bus_read(&memory, COMMON + 0x800, 1), VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG);
	check_equal(ioapic.levels, 0);
	check_equal(bus_read(&memory, COMMON + 0x800, 1), 0);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(ioapic.levels, PIN_LEVEL);
	status(0);
	check_equal(ioapic.levels, 0);
	check_equal(bus_read(&memory, COMMON + 0x800, 1), 0);
}

// Without its BARs, by registers alone (4.1.4.9).
static void test_access(void) {
	static const struct {
		uint32_t bar, offset, length;
	} bad[] = {{0, 0x4000, 1}, {0, 0x3fff, 2}, {0, UINT32_MAX, 4}, {1, 0, 4}, {6, 0, 4},
		{0xff, 0, 4}, {2, 2, 4}};
	static const uint32_t lengths[] = {0, 3, 5, 8, UINT32_MAX};
	unsigned access;

	plug();
	command(DEVICE, 0);
	access = transport.access;
	set(DEVICE, access + VIRTIO_PCI_CAP_OFFSET, VIRTIO_PCI_QUEUE_SIZE);
	set(DEVICE, access + VIRTIO_PCI_CAP_LENGTH, 2);
	check_equal(get(DEVICE, access + 16), 64);
	set(DEVICE, access + 16, 8);
	check_equal(transport.device->queues[0].size, 8);
	check_equal(get(DEVICE, access + 16), 8);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bus_write(&memory, place(DEVICE, access + VIRTIO_PCI_CAP_BAR), 1, bad[i].bar);
		set(DEVICE, access + VIRTIO_PCI_CAP_OFFSET, bad[i].offset);
		set(DEVICE, access + VIRTIO_PCI_CAP_LENGTH, bad[i].length);
		check_equal(get(DEVICE, access + 16), UINT32_MAX);
		set(DEVICE, access + 16, 0);
	}
	bus_write(&memory, place(DEVICE, access + VIRTIO_PCI_CAP_BAR), 1, 0);
	set(DEVICE, access + VIRTIO_PCI_CAP_OFFSET, VIRTIO_PCI_STATUS);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		set(DEVICE, access + VIRTIO_PCI_CAP_LENGTH, lengths[i]);
		set(DEVICE, access + 16, 1);
		check_equal(get(DEVICE, access + 16), 1);
	}
	check_equal(transport.device->status, 0);
	// The MSI-X table can be reached so, too.
	set(DEVICE, access + VIRTIO_PCI_CAP_OFFSET, 0x3008);
	set(DEVICE, access + VIRTIO_PCI_CAP_LENGTH, 4);
	set(DEVICE, access + 16, 0x1234);
	check_equal(transport.function.msix.words[2], 0x1234);
}

// A device that is no bus master leaves memory alone.
static void test_master(void) {
	start(true);
	command(DEVICE, BOTH);
	offer();
	bus_write(&ports, PORT, 2, 0);
	virtio_notify(&rng.device, 0);
	check_equal(used(), 0);
	check_equal(ram[BUFFER], 0);
	command(DEVICE, ALL);
	check_equal(used(), 1);
	check_equal(taken(), QUEUE_VECTOR);
}

// The machine resets its devices first, and its buses when no back end uses guest memory any more.
static void test_reset(void) {
	start(true);
	virtio_pci_reset(&transport);
	pci_host_reset(&host);
	check(rng.device.cut_off);
	start(true);
	pci_host_reset(&host);
	virtio_pci_reset(&transport);
	check(rng.device.cut_off);
	// A driver that does not make it a bus master gets nothing.
	move(DEVICE, 0, COMMON);
	move(DEVICE, 2, PORT);
	command(DEVICE, BOTH);
	bring_up(true);
	offer();
	bus_write(&ports, PORT, 2, 0);
	check_equal(ram[BUFFER], 0);
}

static void test_broken(void) {
	start(true);
	((struct virtq_split_area *)(void *)(ram + DRIVER))->index = 9;
	bus_write(&ports, PORT, 2, 0);
	check(common(VIRTIO_PCI_STATUS, 1) & VIRTIO_NEEDS_RESET);
	check_equal(common(VIRTIO_PCI_GENERATION, 1), 1);
	check_equal(taken(), CONFIG_VECTOR);
	status(0);
	check_equal(common(VIRTIO_PCI_STATUS, 1), 0);
}

int main(void) {
	static const struct test tests[] = {
		{"virtio_pci.identity", "identity and capabilities of a function", test_identity},
		{"virtio_pci.fields", "the common structure's fields have widths and rights",
			test_fields},
		{"virtio_pci.messages", "a queue is set up and served with MSI-X", test_messages},
		{"virtio_pci.line", "a queue is served with the line and ISR", test_line},
		{"virtio_pci.access", "the BARs are reached by registers", test_access},
		{"virtio_pci.master", "only a bus master accesses memory", test_master},
		{"virtio_pci.reset", "after a reset a device accesses no memory", test_reset},
		{"virtio_pci.broken", "a broken ring is reported", test_broken},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
