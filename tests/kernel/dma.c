// SPDX-License-Identifier: BSD-2-Clause
// Tests: what a device really reaches. QEMU's `edu` copies between memory and a page of its own, at
// the addresses that its registers name (QEMU, docs/specs/edu).
#include "io_space.h"
#include "pci.h"

enum {
	EDU = 0x11e81234,
	EDU_SOURCE = 0x80,
	EDU_TARGET = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98,
	EDU_PAGE = 0x40000,
	EDU_RUN = 1,
	EDU_TO_MEMORY = 2,
	SIZE = 256,
	IO_ADDRESS = 0x00400000, // the device's addresses have 28 bits
	PAGE = 1 << PAGE_BITS,
	PATTERN = 0x5a,
};

struct edu {
	uint64_t device;
	volatile uint8_t *registers;
	volatile uint8_t *memory[2]; // pages of ours
	uint64_t frames[2];
	uint64_t space, tables; // of the device, the root first
	uint64_t granted; // the second page in its space
};

// A frame of the device memory at a physical address.
static uint64_t device_frame(uint64_t address) {
	const struct bootinfo *info = world.bootinfo;

	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct bootinfo_untyped *block = &info->untyped_list[i];
		uint64_t offset = address - block->paddr, slot = info->untyped.start + i;

		if (!block->is_device || address < block->paddr || offset >> block->size_bits)
			continue;
		for (unsigned bit = block->size_bits; bit-- > PAGE_BITS;)
			if (offset >> bit & 1) (void)object_new_in(slot, OBJECT_UNTYPED, bit);
		return object_new_in(slot, OBJECT_PAGE, 0);
	}
	test_fail(HERE, "no device memory at %lx", address);
}

static volatile uint8_t *show(uint64_t frame, unsigned page) {
	uint64_t address = TEST_ADDRESS + page * PAGE;

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, address, RIGHT_READ | RIGHT_WRITE));
	return (volatile uint8_t *)address;
}

static void edu_find(struct edu *edu) {
	uint64_t ports, device;

	io_space_require();
	ports = pci_ports();
	device = pci_find(ports, EDU, "no edu device");
	*edu = (struct edu){.device = device};
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	edu->registers = show(device_frame(pci_read(ports, device, PCI_REGISTER_BAR) & ~15ul), 0);
	for (unsigned i = 0; i < 2; i++) {
		edu->frames[i] = object_new(OBJECT_PAGE, 0);
		edu->memory[i] = show(edu->frames[i], 1 + i);
	}
	for (unsigned i = 0; i < SIZE; i++)
		edu->memory[0][i] = (uint8_t)(PATTERN ^ i);
	pci_write(ports, device, PCI_REGISTER_COMMAND, PCI_COMMAND_BUS_MASTER | PCI_COMMAND_MEMORY);
	edu->space = io_space_make(device, IO_DOMAIN);
}

static void edu_copy(const struct edu *edu, uint64_t source, uint64_t target, uint64_t command) {
	volatile uint64_t *state = (volatile uint64_t *)(edu->registers + EDU_COMMAND);

	*(volatile uint64_t *)(edu->registers + EDU_SOURCE) = source;
	*(volatile uint64_t *)(edu->registers + EDU_TARGET) = target;
	*(volatile uint64_t *)(edu->registers + EDU_COUNT) = SIZE;
	*state = command | EDU_RUN;
	for (unsigned i = 0; i < 100 && *state & EDU_RUN; i++)
		sleep_microseconds(10000);
	CHECK(!(*state & EDU_RUN));
}

// From memory through the device to memory, by addresses of the device.
static void edu_carry(const struct edu *edu, uint64_t source, uint64_t target) {
	edu_copy(edu, source, EDU_PAGE, 0);
	edu_copy(edu, EDU_PAGE, target, EDU_TO_MEMORY);
}

static bool has_arrived(const struct edu *edu) {
	unsigned same = 0;

	for (unsigned i = 0; i < SIZE; i++)
		same += edu->memory[1][i] == edu->memory[0][i];
	CHECK(same == SIZE || same == 0);
	return same == SIZE;
}

static void wipe(const struct edu *edu) {
	for (unsigned i = 0; i < SIZE; i++)
		edu->memory[1][i] = (uint8_t)~edu->memory[0][i];
}

static uint64_t address_of(uint64_t frame) {
	return invoke(frame, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS()).words[0];
}

// Both pages at addresses of the device.
static void edu_grant(struct edu *edu) {
	edu->tables = io_tables_make(edu->space, IO_ADDRESS);
	edu->granted = cap_copy(edu->frames[1]);
	CHECK_OK(io_frame_map(cap_copy(edu->frames[0]), edu->space, RIGHT_READ, IO_ADDRESS));
	CHECK_OK(io_frame_map(
		edu->granted, edu->space, RIGHT_READ | RIGHT_WRITE, IO_ADDRESS + PAGE));
}

static void edu_reaches(struct edu *edu) {
	edu_find(edu);
	edu_grant(edu);
	wipe(edu);
	edu_carry(edu, IO_ADDRESS, IO_ADDRESS + PAGE);
	CHECK(has_arrived(edu));
}

static void granted(void) {
	struct edu edu;

	edu_reaches(&edu);
}

// Before anything is granted, at true addresses, beside what is granted, and against a right.
static void refused(void) {
	struct edu edu;

	edu_find(&edu);
	wipe(&edu);
	edu_carry(&edu, address_of(edu.frames[0]), address_of(edu.frames[1]));
	CHECK(!has_arrived(&edu));
	edu_grant(&edu);
	edu_carry(&edu, IO_ADDRESS, IO_ADDRESS + 2 * PAGE);
	edu_carry(&edu, IO_ADDRESS, address_of(edu.frames[1]));
	CHECK(!has_arrived(&edu));
	edu_carry(&edu, IO_ADDRESS + PAGE, IO_ADDRESS);
	for (unsigned i = 0; i < SIZE; i++)
		CHECK_EQUAL(edu.memory[0][i], (uint8_t)(PATTERN ^ i));
}

// Whatever takes the way to a page away, the device has lost it when the call returns.
static void lose(void (*take)(const struct edu *edu)) {
	struct edu edu;

	edu_reaches(&edu);
	wipe(&edu);
	take(&edu);
	edu_carry(&edu, IO_ADDRESS, IO_ADDRESS + PAGE);
	CHECK(!has_arrived(&edu));
}

static void take_page(const struct edu *edu) {
	CHECK_OK(invoke(edu->granted, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
}

static void take_frame(const struct edu *edu) { CHECK_OK(cap_delete(edu->granted)); }

static void take_table(const struct edu *edu) {
	CHECK_OK(invoke(edu->tables + io_levels() - 1, LABEL_IO_PAGE_TABLE_UNMAP, CAPS(), WORDS()));
}

static void take_root(const struct edu *edu) { CHECK_OK(cap_delete(edu->tables)); }

static void take_space(const struct edu *edu) { CHECK_OK(cap_delete(edu->space)); }

static void lost_page(void) { lose(take_page); }

static void lost_frame(void) { lose(take_frame); }

static void lost_table(void) { lose(take_table); }

static void lost_root(void) { lose(take_root); }

static void lost_space(void) { lose(take_space); }

static const struct test tests[] = {
	{"dma-granted", "a device reads and writes what is mapped for it", granted, NULL},
	{"dma-refused", "it reaches nothing else", refused, NULL},
	{"dma-lost-page", "a page that is unmapped is out of its reach", lost_page, NULL},
	{"dma-lost-frame", "so is a frame that is deleted", lost_frame, NULL},
	{"dma-lost-table", "so is what was below a table that is unmapped", lost_table, NULL},
	{"dma-lost-root", "so is everything without the root", lost_root, NULL},
	{"dma-lost-space", "so is everything without a space", lost_space, NULL},
};

TEST_FILE(dma);
