// SPDX-License-Identifier: BSD-2-Clause
// The driver of AMD's units, with a model of a unit behind its registers. No emulator has all of
// this: QEMU's writes no events, and keeps no entries of devices.
#include "../check.h"
#include "model.h"
#include "vtd_test.h"

#include <base/compiler.h>
#include <string.h>

enum { DEVICE = 0x0310, OTHER = 0x0311, ALIAS = 0x0500, DOMAIN = 7, HERE = 0x40201000 };

static struct iommu_firmware firmware;

static struct iommu *iommu(void) { return this_cpu()->platform->iommu; }

static void begin(void) {
	model_reset();
	firmware = (struct iommu_firmware){.is_amd = true,
		.unit_count = 1,
		.units = {{model_address(), 0x4000, 0, MODEL_DEVICE, MODEL_CAPABILITY, 0x2f}}};
}

static void start(void) {
	check(amdvi_start(&firmware, model_take));
	model_printed[0] = '\0';
}

static bool arrives(unsigned device, uint64_t address, bool is_write, uint64_t expected) {
	uint64_t target;
	bool is_there = model_request(device, address, is_write, &target);

	if (is_there) check_equal(target, expected);
	return is_there;
}

// The entry of this level for address; tables on the way are made.
static uint64_t *entry_at(uint64_t *table, uint64_t address, unsigned level) {
	for (unsigned here = iommu()->levels; here > level; here--) {
		uint64_t *entry = paging_entry(table, address, here);

		if (paging_is_free(*entry))
			*entry = iommu_table_entry(
				iommu(), physical_of(model_take(PAGE_SIZE)), here - 1);
		check(paging_is_table(*entry, here));
		table = physical_pointer(paging_target(*entry, 1));
	}
	return paging_entry(table, address, level);
}

static void map(uint64_t *root, uint64_t address, uint64_t page, unsigned level, unsigned access) {
	uint64_t *entry = entry_at(root, address, level);

	check(paging_is_free(*entry));
	*entry = iommu()->page_bits |
		paging_page_entry(iommu()->paging, physical(page), level,
			(enum paging_access)access, 0, false);
	check(paging_is_page(*entry, level) && paging_leads_to(*entry, level, physical(page)));
	check(level == 1 || !paging_is_table(*entry, level));
	iommu()->entry_added(DOMAIN, address, level);
}

static uint64_t *give_root(unsigned device) {
	uint64_t *root = model_take(PAGE_SIZE);

	iommu()->set_root(iommu()->device(device), (struct iommu_root){physical_of(root), DOMAIN});
	return root;
}

// Before, each device passed, and the unit had kept its entry.
static void blocked(bool forgets_all) {
	static const unsigned devices[] = {0, 1, 0xff, 0x100, DEVICE, 0xffff};

	begin();
	model.features = forgets_all ? 1 << 6 : 0;
	check(arrives(DEVICE, HERE, true, HERE));
	check(amdvi_start(&firmware, model_take));
	check(strstr(model_printed,
		"iommu: AMD-Vi, 1 of 1 units, 4 levels, addresses to "
		"0xffffffffff, 65536 domains, pages up to level 3"));
	for (unsigned i = 0; i < array_count(devices); i++) {
		check(!arrives(devices[i], HERE, false, HERE));
		check(!arrives(devices[i], HERE, true, HERE));
		check(!iommu()->root(iommu()->device(devices[i])).table.value);
	}
	check_equal(*amdvi_long(&this_amdvi()->units[0], 0x18), 0x1f0f); // 0x2f: what it wants
	check_equal(*amdvi_long(&this_amdvi()->units[0], 0x20), 0);
	check(model.commands < 10 || !forgets_all);
	check(iommu()->is_whole && model.openings == 0);
}

static void all_blocked(void) { blocked(true); }

static void old_unit(void) { blocked(false); }

static void settings(void) {
	const uint64_t *entry;

	begin();
	firmware.devices_count = 2;
	firmware.devices[0] = (struct iommu_devices){0x00a0, 0x00a1, false, 0xff, 0};
	firmware.devices[1] = (struct iommu_devices){0x0400, 0x04ff, true, 0x12, ALIAS};
	start();
	entry = iommu()->device(0xa1);
	check(entry[0] == 3 && entry[1] == 3ul << 40 && entry[2] == 0xc7ul << 56 && !entry[3]);
	entry = iommu()->device(ALIAS);
	check(entry[0] == 3 && entry[1] == 1ul << 40 && entry[2] == 0x02ul << 56);
	(void)give_root(ALIAS);
	check(entry[1] == (1ul << 40 | DOMAIN) && entry[2] == 0x02ul << 56);
	entry = iommu()->device(0xa2);
	check(entry[0] == 3 && !entry[1] && !entry[2]);
}

static void kept(void) {
	begin();
	firmware.range_count = 2;
	firmware.ranges[0] = (struct iommu_range){
		{0x7b800000, 0x7b802000}, {DEVICE >> 8, 1, {DEVICE & 0xff}}};
	firmware.ranges[1] = (struct iommu_range){
		{0x1000, 0x2000}, {DEVICE >> 8, 1, {DEVICE & 0xff}}};
	start();
	check(arrives(DEVICE, 0x7b801234, true, 0x7b801234));
	check(arrives(DEVICE, 0x1fff, false, 0x1fff));
	check(!arrives(DEVICE, 0x7b802000, false, 0) && !arrives(DEVICE, 0, false, 0));
	check(!arrives(OTHER, 0x7b801234, false, 0));
	check_equal(iommu()->domains, 65535);
	check_equal(iommu()->root(iommu()->device(DEVICE)).domain, 65535);
	(void)give_root(DEVICE);
	check(!arrives(DEVICE, 0x1fff, false, 0));
}

static void pages(void) {
	uint64_t *root;

	begin();
	start();
	root = give_root(DEVICE);
	map(root, HERE, 0x5000, 1, PAGING_READ_WRITE);
	map(root, HERE + 0x1000, 0x6000, 1, PAGING_READ);
	map(root, 0x40400000, 0x80200000, 2, PAGING_READ_WRITE);
	map(root, 0x80000000, 0xc0000000, 3, PAGING_READ);
	check(arrives(DEVICE, HERE + 0x123, true, 0x5123));
	check(arrives(DEVICE, HERE + 0x1008, false, 0x6008));
	check(!arrives(DEVICE, HERE + 0x1008, true, 0));
	check(arrives(DEVICE, 0x405fffff, true, 0x803fffff));
	check(arrives(DEVICE, 0xbffffff8, false, 0xfffffff8));
	check(!arrives(DEVICE, 0xbffffff8, true, 0) && !arrives(DEVICE, 0xc0000000, false, 0));
	check(!arrives(DEVICE, HERE - 1, false, 0) && !arrives(OTHER, HERE, false, 0));
	check(!arrives(DEVICE, HERE | 1ul << 48, false, 0));
}

// The unit keeps translations and entries until it is to forget them.
static void forgotten(void) {
	uint64_t *root, *entry;

	begin();
	start();
	root = give_root(DEVICE);
	map(root, HERE, 0x5000, 1, PAGING_READ_WRITE);
	map(root, 0x40400000, 0x80200000, 2, PAGING_READ_WRITE);
	check(arrives(DEVICE, HERE, true, 0x5000) && arrives(DEVICE, 0x40400000, true, 0x80200000));
	entry = entry_at(root, HERE, 1);
	*entry = 0;
	check(arrives(DEVICE, HERE, true, 0x5000));
	iommu()->paging->invalidate(physical_of(root), DOMAIN + 1, HERE);
	check(arrives(DEVICE, HERE, true, 0x5000));
	iommu()->paging->invalidate(physical_of(root), DOMAIN, HERE);
	check(!arrives(DEVICE, HERE, true, 0));
	*entry_at(root, 0x40400000, 2) = 0;
	check(arrives(DEVICE, 0x40400000, true, 0x80200000));
	iommu()->paging->invalidate(physical_of(root), DOMAIN, EVERY_PAGE);
	check(!arrives(DEVICE, 0x40400000, true, 0));
	map(root, HERE, 0x5000, 1, PAGING_READ_WRITE);
	check(arrives(DEVICE, HERE, true, 0x5000));
	iommu()->set_root(iommu()->device(DEVICE), (struct iommu_root){});
	check(!arrives(DEVICE, HERE, true, 0));
	check(!iommu()->root(iommu()->device(DEVICE)).table.value);
}

// Whenever the unit looks at its entry, a device has the root that it had or the one that it gets.
static void busy(void) {
	uint64_t *root;

	begin();
	model.eager = DEVICE;
	start();
	root = give_root(DEVICE);
	map(root, HERE, 0x5000, 1, PAGING_READ_WRITE);
	check(arrives(DEVICE, HERE, true, 0x5000));
	root = give_root(DEVICE);
	check(!arrives(DEVICE, HERE, true, 0));
	map(root, HERE, 0x6000, 1, PAGING_READ_WRITE);
	check(arrives(DEVICE, HERE, true, 0x6000));
	iommu()->set_root(iommu()->device(DEVICE), (struct iommu_root){});
	check(!arrives(DEVICE, HERE, true, 0));
}

static void absent(void) {
	uint64_t *root;

	begin();
	model.header |= 1 << 26;
	start();
	root = give_root(DEVICE);
	check(!arrives(DEVICE, HERE, true, 0));
	map(root, HERE, 0x5000, 1, PAGING_READ_WRITE);
	check(arrives(DEVICE, HERE, true, 0x5000));
}

static void reported(void) {
	uint64_t *root;

	begin();
	start();
	check(!arrives(DEVICE, 0x12345678, true, 0));
	check(model.interrupts == 1 && model_lines() == 0);
	amdvi_report_faults();
	check_equal(model_lines(), 1);
	check(strstr(
		model_printed, "iommu: device 03:02.0 may not write at 0x12345000, reason 2020\n"));
	root = give_root(DEVICE);
	map(root, HERE, 0x5000, 1, PAGING_READ);
	check(!arrives(DEVICE, 0xff008, false, 0) && !arrives(DEVICE, HERE, true, 0));
	check_equal(model.interrupts, 2); // one for both
	amdvi_report_faults();
	check(strstr(
		model_printed, "iommu: device 03:02.0 may not read at 0xff000, reason 2000\n"));
	check(strstr(
		model_printed, "iommu: device 03:02.0 may not write at 0x40201000, reason 2030\n"));
	model_send_event(5, 0);
	amdvi_report_faults();
	check(strstr(model_printed, "iommu: event 5000 at 0x0, of no device\n"));
	amdvi_report_faults();
	check_equal(model_lines(), 4);
	check_equal(model.registers[MODEL_MSI / 4] >> 16, 0x81); // on, one message
	check_equal(model.registers[MODEL_MSI / 4 + 1], 0xfee03000);
	check_equal(model.registers[MODEL_MSI / 4 + 3], VECTOR_IOMMU);
}

// The last line of a device says that there will be no more; another one is still heard.
static void silenced(void) {
	begin();
	start();
	for (unsigned i = 0; i < 100; i++) {
		check(!arrives(DEVICE, HERE, true, 0));
		amdvi_report_faults();
	}
	check_equal(model_lines(), 17);
	check(strstr(model_printed, "; no more is reported of it until it gets a space\n"));
	check(!arrives(OTHER, HERE, true, 0));
	amdvi_report_faults();
	check_equal(model_lines(), 18);
	(void)give_root(DEVICE);
	model_pass_seconds();
	check(!arrives(DEVICE, HERE, true, 0));
	amdvi_report_faults();
	check_equal(model_lines(), 19);
}

// What the log has no room for is lost, and the log goes on.
static void overflow(void) {
	begin();
	start();
	for (unsigned round = 0; round < 3; round++) {
		char line[] = "device 80:00.0";

		for (unsigned i = 0; i < 300; i++)
			check(!arrives(0x1000 * (round + 1) + i, HERE, true, 0));
		amdvi_report_faults();
		model_printed[0] = '\0';
		line[13] = (char)('0' + round);
		check(!arrives(0x8000 + round, HERE, true, 0));
		check_equal(model.interrupts, 2 * round + 2);
		amdvi_report_faults();
		check(strstr(model_printed, line) && model_lines() == 1);
	}
}

// A tail that is ahead of its event, one that never comes, and many of them.
static void late(void) {
	begin();
	start();
	model.is_late = true;
	check(!arrives(DEVICE, 0x12345678, true, 0));
	amdvi_report_faults();
	check(strstr(model_printed, "iommu: event 0 at 0x0, of no device\n") && model_lines() == 1);
	model.is_late = false;
	for (unsigned i = 0; i < 100; i++) {
		model_send_event(5, 0);
		amdvi_report_faults();
	}
	check_equal(model_lines(), 16);
}

// What cannot be silenced ends the unit's interrupts, until a device gets a space.
static void flood(void) {
	unsigned before = 0;

	begin();
	start();
	for (unsigned i = 0; i < 1100; i++) {
		model_send_event(8, DEVICE);
		if (model.interrupts > before) amdvi_report_faults();
		before = model.interrupts;
	}
	check(strstr(model_printed, "iommu: a device goes on; no more is reported of its unit"));
	check_equal(model_lines(), 18);
	check(model.interrupts < 1030);
	model_pass_seconds();
	check(!arrives(OTHER, HERE, true, 0) && model.interrupts < 1030);
	(void)give_root(DEVICE);
	check(!arrives(DEVICE, HERE, true, 0) && model.interrupts == before + 1);
	model_pass_seconds();
	for (unsigned i = 0; i < 1100; i++) {
		model_send_event(8, DEVICE);
		amdvi_report_faults();
	}
	model_printed[0] = '\0';
	model_pass_seconds();
	(void)give_root(DEVICE);
	check_equal(model_lines(), 0);
}

static void refused(void) {
	begin();
	model.has_no_capability = true;
	check(!amdvi_start(&firmware, model_take));
	check(strstr(model_printed, "iommu: no unit answers at ") &&
		strstr(model_printed, ": devices behind it reach ALL memory\n"));
	check(!iommu());
	begin();
	firmware.units[0].size = 0; // no device is there
	check(!amdvi_start(&firmware, model_take));
	begin();
	firmware.units[firmware.unit_count++].address = 0x1000; // of no size
	check(amdvi_start(&firmware, model_take) && !iommu()->is_whole);
	begin();
	firmware.units_lost = 1; // no room for it
	check(amdvi_start(&firmware, model_take) && !iommu()->is_whole);
	check(strstr(model_printed, "iommu: AMD-Vi, 1 of 2 units"));
	begin();
	model.registers[MODEL_MSI / 4] = 0;
	check(amdvi_start(&firmware, model_take));
	check(strstr(model_printed, "iommu: a unit cannot interrupt"));
}

// Devices of another segment are other ones with the same numbers.
static void segments(void) {
	begin();
	firmware.units[0].segment = 1;
	model.has_no_capability = true; // out of reach
	start();
	(void)give_root(DEVICE);
	map(physical_pointer(iommu()->root(iommu()->device(DEVICE)).table), HERE, 0x5000, 1,
		PAGING_READ_WRITE);
	check(!arrives(DEVICE, HERE, true, 0));
	amdvi_report_faults();
	check_equal(model_lines(), 1);
	for (unsigned i = 0; i < 100; i++) {
		check(!arrives(DEVICE, HERE, true, 0));
		amdvi_report_faults();
	}
	check_equal(model_lines(), 16);
}

static void no_answer(void) {
	begin();
	start();
	model.is_dead = true;
	if (setjmp(model_panicked) == 0) {
		(void)give_root(DEVICE);
		check(false);
	}
	model.is_dead = false;
}

static const struct test tests[] = {
	{"amdvi.blocked", "no device passes a unit that was on before", all_blocked},
	{"amdvi.old", "nor one that has no command to forget everything", old_unit},
	{"amdvi.settings", "entries have what firmware says, with a root and without", settings},
	{"amdvi.kept", "firmware's memory is open to its device alone", kept},
	{"amdvi.pages", "pages of each size lead where they say, as their rights say", pages},
	{"amdvi.forgotten", "nothing is kept that went, and only that goes", forgotten},
	{"amdvi.busy", "nor of a device that makes requests all the time", busy},
	{"amdvi.absent", "nor that there was nothing", absent},
	{"amdvi.reported", "an event is a line, with one interrupt for many", reported},
	{"amdvi.silenced", "a device that goes on is heard no more until it has a root", silenced},
	{"amdvi.overflow", "a log that was full goes on", overflow},
	{"amdvi.late", "an event that is not there yet is none", late},
	{"amdvi.flood", "nor does a device that cannot be silenced interrupt for ever", flood},
	{"amdvi.refused", "what is no unit is named", refused},
	{"amdvi.segments", "devices of other segments stay blocked", segments},
	{"amdvi.silent", "a unit that does not answer is a panic", no_answer},
};

int main(void) {
	return check_run(tests, array_count(tests)) | check_run(vtd_tests.rows, vtd_tests.count);
}
