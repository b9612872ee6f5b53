// SPDX-License-Identifier: BSD-2-Clause
// A device that was given no memory writes to some. The only one that this program can drive is
// QEMU's `edu` (QEMU, docs/specs/edu).
#include <root/selftest/selftest.h>

#include <base/bits.h>

#include <lib/pci/scan.h>

#include <root/pci_ports.h>
#include <root/selftest/alarm.h>

#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>
#include <x86/instructions.h>

enum {
	EDU_VENDOR = 0x1234,
	EDU_DEVICE = 0x11e8,
	EDU_SOURCE = 0x80,
	EDU_TARGET = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98,
	EDU_PAGE = 0x40000, // its own memory
	EDU_RUN = 1,
	EDU_TO_MEMORY = 2,
	SIZE = 256,
	LIMIT = 1000000, // microseconds
	PATTERN = 0x5a,
};

#define ADDRESS 0x3c0000000000ul // of this thread: registers, then the page
#define EDU_LIMIT (1ul << 28) // of its addresses

static volatile uint8_t *show(seL4_CPtr frame, unsigned page) {
	const struct space own = space_own();
	struct mapping mapping = {
		.frame = frame,
		.address = ADDRESS + ((seL4_Word)page << PAGE_BITS),
		.rights = seL4_AllRights,
		.attributes = page == 0 ? seL4_X86_Uncacheable : seL4_X86_Default_VMAttributes,
		.bits = PAGE_BITS,
	};

	if (space_prepare(&own, mapping.address, PAGE_BITS) || space_map(&own, &mapping))
		return NULL;
	return (volatile uint8_t *)mapping.address;
}

static volatile uint8_t *registers_show(const struct pci_device *device) {
	seL4_CPtr frame = slots_allocate(1);
	seL4_Word address = device->bases[0].address;

	if (!frame || untyped_make_at(OBJECT_PAGE, 0, address, frame)) return NULL;
	return show(frame, 0);
}

// False: it did not end.
static bool carry(volatile uint8_t *registers, seL4_Word target) {
	volatile uint64_t *command = (volatile uint64_t *)(registers + EDU_COMMAND);
	uint64_t start = tsc_read_ordered();

	*(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_PAGE;
	*(volatile uint64_t *)(registers + EDU_TARGET) = target;
	*(volatile uint64_t *)(registers + EDU_COUNT) = SIZE;
	*command = EDU_RUN | EDU_TO_MEMORY;
	while (*command & EDU_RUN && tsc_read_ordered() - start < LIMIT * alarm_ticks())
		;
	return !(*command & EDU_RUN);
}

static void check_device(struct selftest *run, const struct pci_device *device) {
	uint16_t before = pci_read16(&pci_ports_config, device->function, PCI_REGISTER_COMMAND);
	volatile uint8_t *registers = registers_show(device), *page;
	seL4_CPtr frame = object_make(OBJECT_PAGE, 0);
	seL4_Word target = frame ? seL4_X86_Page_GetAddress(frame).paddr : EDU_LIMIT;
	bool has_ended, is_kept = true;

	page = registers && target < EDU_LIMIT ? show(frame, 1) : NULL;
	if (!page) {
		selftest_skip(run, "the device `edu` cannot be used");
		return;
	}
	for (unsigned i = 0; i < SIZE; i++)
		page[i] = (uint8_t)(PATTERN ^ i);
	pci_ports_config.write(device->function, PCI_REGISTER_COMMAND, 2,
		before | PCI_COMMAND_BUS_MASTER | PCI_COMMAND_MEMORY);
	has_ended = carry(registers, target);
	pci_ports_config.write(device->function, PCI_REGISTER_COMMAND, 2, before);
	for (unsigned i = 0; i < SIZE; i++)
		is_kept &= page[i] == (uint8_t)(PATTERN ^ i);
	if (!is_kept) {
		run->faults.iommu = true;
		selftest_fail(run,
			"device " PCI_FORMAT " wrote memory that it was not given; drivers of "
			"devices that a description keeps in bounds are not started",
			PCI_WORDS(device->function));
	} else if (!has_ended) {
		selftest_skip(run, "the device `edu` does not end its copy");
	}
}

void selftest_iommu(struct selftest *run) {
	static struct pci_devices machine;
	seL4_Word levels = run->bootinfo->numIOPTLevels;
	seL4_CPtr ports;

	if (levels == 0 || levels == ~0ul) {
		selftest_skip(run, "no IOMMU is used: the boot log says so");
		return;
	}
	ports = pci_ports_issue();
	pci_ports_use(ports);
	if (ports) pci_scan(&pci_ports_config, &machine);
	for (unsigned i = 0; ports && i < machine.count; i++) {
		const struct pci_device *device = &machine.rows[i];

		if (device->vendor != EDU_VENDOR || device->device != EDU_DEVICE) continue;
		check_device(run, device);
		return;
	}
	selftest_skip(run, "no device here that the test can drive (QEMU's `edu`)");
}
