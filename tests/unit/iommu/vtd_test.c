// SPDX-License-Identifier: BSD-2-Clause
#include "vtd_test.h"
#include "../check.h"
#include "model.h"

#include <base/compiler.h>
#include <iommu/vtd.h>
#include <string.h>

enum { RECORDS = 0x200, DEVICE = 0x0310, STATUS = 0x30 };

static struct vtd vtd;
static uint64_t registers[4096 / sizeof(uint64_t)];
static uint64_t record[2];
static unsigned forgotten;

// However often it is cleared, the record is there again.
volatile uint64_t *vtd_long(const struct vtd_unit *unit, unsigned at) {
	check_equal((uint64_t)unit->page, (uint64_t)registers);
	memcpy(&registers[RECORDS / 8], record, sizeof(record));
	registers[STATUS / 8] = 2ul << 32;
	return &registers[at / 8];
}

volatile uint32_t *vtd_word(const struct vtd_unit *unit, unsigned at) {
	return (volatile uint32_t *)vtd_long(unit, at) + at / 4 % 2;
}

void vtd_forget(unsigned, unsigned, uint64_t) { forgotten++; }

static void publish(const void *, uint64_t) {}

// A unit with one record, which is valid for good.
static void begin(unsigned segment, uint64_t low, uint64_t reason) {
	model_reset();
	forgotten = 0;
	vtd = (struct vtd){.iommu = {.publish = publish},
		.count = 1,
		.units = {{.page = (uint8_t *)registers,
			.capability = (uint64_t)RECORDS / 16 << 24,
			.segment = segment}},
		.contexts = model_take((1 << 16) * sizeof(*vtd.contexts))};
	this_cpu()->platform->iommu = &vtd.iommu;
	record[0] = low;
	record[1] = 3ul << 62 | reason << 32 | DEVICE;
}

// It shares its number with a device of segment 0, which must not be silenced for it.
static void segment(void) {
	begin(1, 0x12345678, 1);
	vtd_report_faults();
	check_equal(model_lines(), 17);
	check(strstr(
		model_printed, "iommu: device 03:02.0 may not read at 0x12345000, reason 1\n"));
	check(strstr(model_printed, "iommu: a device goes on; no more is reported of its unit"));
	check(forgotten == 0 && vtd.contexts[DEVICE][0] == 0);
}

static void unsilenced(void) {
	begin(0, 0x12345678, 5);
	vtd_report_faults();
	check_equal(model_lines(), 18);
	check(strstr(model_printed, "; no more is reported of it until it gets a space\n"));
	check(strstr(model_printed, "iommu: a device goes on; no more is reported of its unit"));
	check(forgotten == 1 && vtd.contexts[DEVICE][0] == 2);
}

static void interrupts(void) {
	begin(0, 48ul << 48, 0x22);
	vtd_report_faults();
	check_equal(model_lines(), 17);
	check(strstr(model_printed, "may not raise an interrupt by entry 48, reason 22\n"));
	check(strstr(model_printed, "; no more is reported of its unit until a device gets"));
}

static const struct test rows[] = {
	{"vtd.segment", "faults of another segment come to an end, and silence no device", segment},
	{"vtd.unsilenced", "so do those that are recorded all the same", unsilenced},
	{"vtd.interrupts", "and interrupts that are refused", interrupts},
};

const struct tests vtd_tests = {rows, array_count(rows)};
