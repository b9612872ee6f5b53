// SPDX-License-Identifier: BSD-2-Clause
// The guest with pages of a device.
#include "pages.h"

#include <string.h>

uint8_t pages_device[DEVICE_SIZE];
unsigned pages_accesses;

static uint64_t device_read(void *, uint64_t offset, enum bus_width width) {
	uint64_t value = 0;

	pages_accesses++;
	memcpy(&value, pages_device + offset, width);
	return value;
}

static void device_write(void *, uint64_t offset, enum bus_width width, uint64_t value) {
	pages_accesses++;
	memcpy(pages_device + offset, &value, width);
}

static const struct bus_ops device_ops = {
	.name = "memory behind a device",
	.widths = BUS_WIDTH_1 | BUS_WIDTH_2 | BUS_WIDTH_4 | BUS_WIDTH_8,
	.read = device_read,
	.write = device_write,
};

static struct bus_window window = {&device_ops, pages_device, DEVICE, DEVICE_SIZE, NULL};

void pages_put(uint64_t table, unsigned index, uint64_t entry) {
	memcpy(machine.memory.bytes + table + 8ull * index, &entry, 8);
}

uint64_t pages_get(uint64_t table, unsigned index) {
	uint64_t entry;

	memcpy(&entry, machine.memory.bytes + table + 8ull * index, 8);
	return entry;
}

void pages_map(unsigned page, uint64_t physical, uint64_t rights) {
	pages_put(PT, page, physical | rights);
}

// Pages 0 and 1 are of the pages_device, 2 and 3 of memory, 4 is absent, 5 is of the pages_device
// again.
void pages_fresh(void) {
	const uint64_t all = PRESENT | WRITABLE | USER;

	rig_fresh();
	check(bus_add(&machine.memory_bus, &window));
	pages_put(PML4, 0, PDPT | all);
	pages_put(PDPT, 0, LOW | all);
	pages_put(PDPT, 1, PD | all);
	pages_put(LOW, 0, PRESENT | WRITABLE | LARGE);
	pages_put(PD, 0, PT | all);
	pages_map(0, DEVICE, PRESENT | WRITABLE);
	pages_map(1, DEVICE + 0x2000, PRESENT | WRITABLE);
	pages_map(2, MEMORY, PRESENT | WRITABLE);
	pages_map(3, MEMORY + 0x3000, PRESENT | WRITABLE);
	pages_map(5, DEVICE + 0x1000, PRESENT | WRITABLE);
	fake.exit.cr3 = PML4;
	fake.guest.cr0 |= CR0_WP;
	memset(pages_device, 0, sizeof(pages_device));
	pages_accesses = 0;
}

void pages_breakpoint(unsigned number, uint64_t address, unsigned kind) {
	fake.guest.dr[number] = address;
	fake.guest.dr7 |= 1ull << 2 * number | (uint64_t)(kind | 3 << 2) << (16 + 4 * number);
}

void check_page_fault(uint64_t linear, uint32_t error_code) {
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | 14);
	check_equal(fake.guest.cr2, linear);
	check_equal(fake.guest.event.error_code, error_code);
	check_equal(fake.guest.rip, CODE);
	check(fake.guest.rflags & FLAGS_RF);
}

void check_exception(uint32_t vector) {
	check_equal(
		event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | vector);
	check_equal(fake.guest.event.error_code, 0);
	check_equal(fake.guest.rip, CODE);
}
