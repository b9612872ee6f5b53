// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a function of the machine that the guest drives: an NVMe disk, whose registers are
// memory of the test, and a PCI component that notes what it is asked.
#include "../check.h"
#include "fake_host.h"
#include "pci_rig.h"

#include <vmm/pci/passed.h>

#include <string.h>
#include <virtio/pci.h>

enum {
	PASSED_SLOT = 7,
	BAR_SIZE = 0x4000,
	REAL_TABLE = 0x2000,
	REAL_ENTRIES = 65,
	GRANTED = 2,
	FIRST_CHANNEL = HOST_CHANNEL_MESSAGE + 3 * HOST_MESSAGES,
	STRUCTURE = 0x60,
	STRUCTURE_SIZE = 16,
	GUEST_VECTOR = 0x61,
};

static _Alignas(BAR_SIZE) uint8_t registers[BAR_SIZE];
static struct passed passed;
static uint64_t enabled; // what the device may do
static unsigned resets, ends;
static bool uses_table, has_table, is_there;

static bool answer_read(uint64_t words[HOST_PCI_WORDS]) {
	switch (words[1]) {
	case PCI_REGISTER_VENDOR: words[0] = is_there ? 0x00101b36 : UINT32_MAX; return true;
	case PCI_REGISTER_CLASS: words[0] = 0x01080202; return true;
	case PCI_REGISTER_SUBSYSTEM: words[0] = 0x11001af4; return true;
	case STRUCTURE:
		words[0] = VIRTIO_PCI_COMMON << 24 | STRUCTURE_SIZE << 16 | 0x8009;
		return true;
	default: words[0] = (uint32_t)words[1]; return words[1] > STRUCTURE;
	}
}

static bool answer(enum pci_request request, uint64_t words[HOST_PCI_WORDS]) {
	check_equal(words[0], 3);
	switch ((unsigned)request) {
	case PCI_READ: return answer_read(words);
	case PCI_PASSED_BAR:
		if (words[1] != 0) return false;
		memcpy(words, (uint64_t[]){0, BAR_SIZE, PCI_BAR_IS_64_BIT}, 3 * sizeof(*words));
		return true;
	case PCI_MESSAGES:
		memcpy(words,
			(uint64_t[]){
				has_table ? GRANTED : 1, has_table ? REAL_ENTRIES : 0, REAL_TABLE},
			3 * sizeof(*words));
		return true;
	case PCI_PASSED_STRUCTURE:
		if (words[1] != 0) return false;
		words[0] = STRUCTURE;
		words[1] = STRUCTURE_SIZE;
		return true;
	case PCI_ENABLE: enabled = words[1]; return true;
	case PCI_SET_MSIX: uses_table = words[1]; return true;
	case PCI_RESET:
		resets += words[1] == PCI_RESET_BEGIN;
		ends += words[1] == PCI_RESET_END;
		words[0] = 100000;
		return true;
	default: return false;
	}
}

static void start(bool table) {
	fresh();
	fake.pci = answer;
	enabled = resets = ends = 0;
	uses_table = false;
	has_table = table;
	is_there = true;
	memset(registers, 0x5a, sizeof(registers));
	passed = (struct passed){.window = (uint64_t)registers};
	check(passed_init(&passed, 3) && pci_host_add(&host, PASSED_SLOT, &passed.function));
	pci_host_reset(&host);
	passed_start(&passed);
}

static uint32_t own_place(void) { return (uint32_t)(uint64_t)registers; }

static uint32_t entry_word(unsigned entry, unsigned word) {
	uint32_t value;

	memcpy(&value, registers + REAL_TABLE + entry * PCI_MSIX_ENTRY + 4 * word, sizeof(value));
	return value;
}

static void test_registers(void) {
	start(true);
	check_equal(get(PASSED_SLOT, PCI_REGISTER_VENDOR), 0x00101b36);
	check_equal(get(PASSED_SLOT, PCI_REGISTER_CLASS), 0x01080202);
	check_equal(get(PASSED_SLOT, PCI_REGISTER_SUBSYSTEM), 0x11001af4);
	// Where it is mapped in the guest from the start, and nothing answers without the command.
	check_equal(get(PASSED_SLOT, PCI_REGISTER_BAR), own_place() | PCI_BAR_IS_64_BIT);
	check(!bus_claims(&memory, own_place()));
	set(PASSED_SLOT, PCI_REGISTER_BAR, UINT32_MAX);
	check_equal(get(PASSED_SLOT, PCI_REGISTER_BAR), (uint32_t)-BAR_SIZE | PCI_BAR_IS_64_BIT);
	// Behind the capability of messages there is that of a structure, and no other.
	check_equal(get(PASSED_SLOT, PCI_REGISTER_CAPABILITIES), 0x40);
	check_equal(get(PASSED_SLOT, 0x40) & 0xffff, 0x4c11);
	check_equal(get(PASSED_SLOT, 0x4c), VIRTIO_PCI_COMMON << 24 | STRUCTURE_SIZE << 16 | 9);
	check_equal(get(PASSED_SLOT, 0x50), STRUCTURE + 4);
	check_equal(get(PASSED_SLOT, 0x5c), 0);
	is_there = false;
	check(!passed_init(&passed, 3));
}

static void test_command(void) {
	start(true);
	check_equal(enabled, PCI_ENABLE_MEMORY);
	command(PASSED_SLOT, PCI_COMMAND_BUS_MASTER);
	check_equal(enabled, PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER);
	command(PASSED_SLOT, PCI_COMMAND_MEMORY);
	check_equal(enabled, PCI_ENABLE_MEMORY);
}

// The device answers wherever the guest puts the BAR.
static void test_bar(void) {
	uint64_t place = 0xc0100000;

	start(true);
	move(PASSED_SLOT, 0, place);
	command(PASSED_SLOT, PCI_COMMAND_MEMORY);
	bus_write(&memory, place + 0x10, BUS_WIDTH_4, 0x11223344);
	check(registers[0x10] == 0x44 && registers[0x13] == 0x11 && registers[0x14] == 0x5a);
	check_equal(bus_read(&memory, place + 0x12, BUS_WIDTH_1), 0x22);
	check_equal(bus_read(&memory, place + 0x12, BUS_WIDTH_2), 0x1122);
	bus_write(&memory, place + 0x18, BUS_WIDTH_8, 0x0102030405060708);
	check_equal(bus_read(&memory, place + 0x18, BUS_WIDTH_8), 0x0102030405060708);
	pci_host_reset(&host);
	check_equal(get(PASSED_SLOT, PCI_REGISTER_BAR), own_place() | PCI_BAR_IS_64_BIT);
}

// The device's own table keeps the host's messages, whatever the guest writes.
static void test_table(void) {
	uint64_t place = 0xc0100000, table = place + REAL_TABLE;
	uint64_t size = REAL_ENTRIES * PCI_MSIX_ENTRY;
	uint8_t before[BAR_SIZE];

	start(true);
	check(uses_table && entry_word(0, 2) == FIRST_CHANNEL && entry_word(0, 3) == 0);
	check(entry_word(1, 2) == FIRST_CHANNEL + 1 && entry_word(1, 3) == 0);
	for (unsigned i = GRANTED; i < REAL_ENTRIES; i++)
		check_equal(entry_word(i, 3), PCI_MSIX_MASKED);
	move(PASSED_SLOT, 0, place);
	command(PASSED_SLOT, PCI_COMMAND_MEMORY);
	memcpy(before, registers, sizeof(before));
	for (uint64_t at = table - 7; at < table + size; at++)
		bus_write(&memory, at, BUS_WIDTH_8, UINT64_MAX);
	for (uint64_t at = table; at < table + size; at++)
		bus_write(&memory, at, BUS_WIDTH_1, 0xff);
	check(memcmp(before, registers, sizeof(before)) == 0);
	check_equal(bus_read(&memory, table + size - 4, BUS_WIDTH_4), 0);
	bus_write(&memory, table + size, BUS_WIDTH_1, 1);
	bus_write(&memory, table - 8, BUS_WIDTH_8, 2);
	check(registers[REAL_TABLE + size] == 1 && registers[REAL_TABLE - 8] == 2);
}

static void test_messages(void) {
	uint64_t place = 0xc0100000;

	start(true);
	move(PASSED_SLOT, 0, place);
	command(PASSED_SLOT, PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
	bus_write(&memory, place + REAL_TABLE + 16, BUS_WIDTH_8, 0xfee00000);
	bus_write(&memory, place + REAL_TABLE + 24, BUS_WIDTH_8, GUEST_VECTOR);
	set(PASSED_SLOT, 0x40, (uint32_t)PCI_MSIX_ENABLE << 16);
	pci_message(&passed.function, 1);
	check_equal(lapic_pending(&lapic), GUEST_VECTOR);
	check_equal(entry_word(1, 2), FIRST_CHANNEL + 1);
}

// One without a table has a message of its own.
static void test_message(void) {
	start(false);
	check(!uses_table && fake.message_device == 3);
	check_equal(fake.message_channel, HOST_CHANNEL_MESSAGE + 3 * HOST_MESSAGES);
	check_equal(get(PASSED_SLOT, 0x40) & 0xff, PCI_CAPABILITY_MSI);
	check(registers[REAL_TABLE] == 0x5a);
}

static void test_reset(void) {
	start(true);
	check_equal(passed_stop(&passed), 100000);
	check_equal(passed_stop(&passed), 0);
	check(resets == 1 && ends == 1);
	memset(registers, 0, sizeof(registers));
	passed_start(&passed);
	check(ends == 2 && entry_word(1, 2) == FIRST_CHANNEL + 1 && enabled == PCI_ENABLE_MEMORY);
	check_equal(passed_stop(&passed), 100000);
}

int main(void) {
	static const struct test tests[] = {
		{"passed.registers", "the guest is shown names, BARs and messages", test_registers},
		{"passed.command", "the device is a bus master when the guest says so",
			test_command},
		{"passed.bar", "the device answers where its BAR is", test_bar},
		{"passed.table", "the guest writes no message of the host's", test_table},
		{"passed.messages", "a message comes as the guest's own", test_messages},
		{"passed.message", "a device without a table has one message", test_message},
		{"passed.reset", "a reset begins once before each start", test_reset},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
