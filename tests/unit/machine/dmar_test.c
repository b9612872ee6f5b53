// SPDX-License-Identifier: BSD-2-Clause
// The table DMAR, whole and damaged (VT-d 8). Each read is of a copy of its size, so that the
// address sanitizer sees what goes beyond it.
#include "test.h"

#include <base/compiler.h>
#include <iommu/firmware.h>
#include <stdlib.h>
#include <string.h>
#include <x86/acpi.h>

enum { SIZE = 8192, DAMAGES = 20000, HEADER = 48 };

static uint8_t bytes[SIZE];
static unsigned end;
static struct iommu_firmware dmar;

static void put(uint64_t value, unsigned size) {
	memcpy(bytes + end, &value, size);
	end += size;
}

static void begin(void) {
	memset(bytes, 0, sizeof(bytes));
	bytes[37] = DMAR_INTERRUPTS;
	end = HEADER;
}

static void unit(uint64_t address, unsigned segment, unsigned scopes) {
	put(DMAR_UNIT, 2);
	put(16 + scopes, 2);
	put(1, 1);
	put(0, 1);
	put(segment, 2);
	put(address, 8);
}

static void reserved(uint64_t first, uint64_t last, unsigned scopes) {
	put(DMAR_RESERVED, 2);
	put(24 + scopes, 2);
	put(0, 4);
	put(first, 8);
	put(last, 8);
}

static void scope(unsigned type, unsigned id, unsigned bus, unsigned device, unsigned function) {
	put(type, 1);
	put(8, 1);
	put(0, 2);
	put(id, 1);
	put(bus, 1);
	put(device, 1);
	put(function, 1);
}

static void read_table(uint32_t size) {
	uint8_t *copy = malloc(size);

	memcpy(bytes + 4, &size, 4);
	memcpy(copy, bytes, size);
	dmar_read(&dmar, copy);
	free(copy);
}

static void whole(void) {
	begin();
	unit(0xfed90000, 0, 24);
	scope(DMAR_ENDPOINT, 0, 0, 2, 0);
	scope(DMAR_IOAPIC, 2, 0xf0, 31, 7);
	scope(DMAR_IOAPIC, 9, 0xff, 0, 1);
	unit(0xfed91000, 1, 16);
	scope(DMAR_IOAPIC, 3, 0xf0, 31, 7); // of another segment
	scope(DMAR_ENDPOINT, 0, 0, 2, 0);
	reserved(0x7b800000, 0x7fffffff, 16);
	scope(DMAR_ENDPOINT, 0, 0, 2, 0);
	scope(DMAR_ENDPOINT, 0, 0, 20, 1);
	read_table(end);
	check(dmar.lost == 0 && dmar.units_lost == 0 && dmar.has_interrupts);
	check_equal(dmar.unit_count, 2);
	check_equal(dmar.ioapic_count, 2);
	check(dmar.ioapics[0].id == 2 && dmar.ioapics[0].device.bus == 0xf0);
	check(dmar.ioapics[0].device.hops == 1 && dmar.ioapics[0].device.path[0] == 0xff);
	check(dmar.ioapics[1].id == 9 && dmar.ioapics[1].device.path[0] == 1);
	check(dmar.units[0].address == 0xfed90000 && dmar.units[0].size == 4096);
	check(dmar.units[1].segment == 1);
	check_equal(dmar.range_count, 2);
	check(dmar.ranges[1].memory.start == 0x7b800000 && dmar.ranges[1].memory.end == 0x80000000);
	check(dmar.ranges[0].device.path[0] == 0x10 && dmar.ranges[1].device.path[0] == 0xa1);
}

static void none(void) {
	dmar.unit_count = dmar.lost = 1;
	dmar_read(&dmar, NULL);
	check(dmar.unit_count == 0 && dmar.lost == 0);
	begin();
	bytes[37] = (uint8_t)~DMAR_INTERRUPTS;
	read_table(end);
	check(dmar.lost == 0 && dmar.unit_count == 0 && !dmar.has_interrupts);
}

static void bridges(void) {
	begin();
	reserved(0x1000, 0x1fff, 10);
	put(DMAR_ENDPOINT, 1);
	put(10, 1);
	put(0, 3);
	put(4, 1);
	put(0x1c | 3 << 8, 2);
	put(0x00 | 1 << 8, 2);
	read_table(end);
	check(dmar.lost == 0 && dmar.range_count == 1);
	check(dmar.ranges[0].device.bus == 4 && dmar.ranges[0].device.hops == 2);
	check(dmar.ranges[0].device.path[0] == 0xe3 && dmar.ranges[0].device.path[1] == 1);
}

static void strange_types(void) {
	begin();
	for (unsigned type = 2; type < 9; type++) {
		put(type, 2);
		put(12, 2);
		put(~0ul, 8);
	}
	unit(0xfed90000, 0, 0);
	read_table(end);
	check(dmar.lost == 0 && dmar.unit_count == 1);
}

static void refused_ranges(void) {
	static const uint64_t ranges[][2] = {
		{0x2000, 0x1fff}, {0x2000, 0x1000}, {0x1001, 0x1fff}, {0x1000, 0x1ffe}, {0, ~0ul}};

	for (unsigned i = 0; i < array_count(ranges); i++) {
		begin();
		reserved(ranges[i][0], ranges[i][1], 8);
		scope(DMAR_ENDPOINT, 0, 0, 2, 0);
		read_table(end);
		check(dmar.lost == 1 && dmar.range_count == 0);
	}
}

static void too_many(void) {
	begin();
	for (unsigned i = 0; i < IOMMU_MAX_UNITS + 3; i++)
		unit(0xfed00000 + 0x1000 * i, 0, 0);
	unit(0xfed00000, 0, 0); // is there already
	unit(0, 0, 0);
	unit(0xfec00800, 0, 0);
	read_table(end);
	check_equal(dmar.unit_count, IOMMU_MAX_UNITS);
	check(dmar.lost == 5 && dmar.units_lost == 5);
	begin();
	for (unsigned i = 0; i < IOMMU_MAX_RANGES + 1; i++) {
		reserved(0x1000, 0x1fff, 8);
		scope(DMAR_ENDPOINT, 0, 0, i % 32, 0);
	}
	read_table(end);
	check(dmar.range_count == IOMMU_MAX_RANGES && dmar.lost == 1);
	begin();
	reserved(0x1000, 0x1fff, 8);
	scope(DMAR_BRIDGE, 0, 0, 28, 0); // all behind it
	read_table(end);
	check(dmar.range_count == 0 && dmar.lost == 1 && dmar.units_lost == 0);
	begin();
	unit(0xfed00000, 0, 8 * (ACPI_MAX_IOAPICS + 1));
	for (unsigned i = 0; i < ACPI_MAX_IOAPICS + 1; i++)
		scope(DMAR_IOAPIC, i, 0xf0, i % 32, 0);
	read_table(end);
	check(dmar.ioapic_count == ACPI_MAX_IOAPICS && dmar.lost == 1);
}

// Entries that end before themselves, at the start of the next one, or behind the table.
static void lengths(void) {
	for (unsigned length = 0; length < 64; length++) {
		begin();
		unit(0xfed90000, 0, 0);
		bytes[HEADER + 2] = (uint8_t)length;
		read_table(end);
		check((dmar.lost == 0) == (length == 16));
		check(length > 15 || dmar.units_lost > 0);
		begin();
		reserved(0x1000, 0x1fff, 8);
		scope(DMAR_ENDPOINT, 0, 0, 2, 0);
		bytes[HEADER + 24 + 1] = (uint8_t)length;
		read_table(end);
		check((dmar.lost == 0) == (length == 8));
	}
	begin();
	put(0, 3);
	read_table(end);
	check(dmar.lost == 1 && dmar.units_lost == 1);
}

static void damaged(void) {
	for (unsigned i = 0; i < DAMAGES; i++) {
		begin();
		unit(0xfed90000, 0, 16);
		scope(DMAR_IOAPIC, 0, 0, 31, 7);
		scope(DMAR_BRIDGE, 0, 0, 28, 0);
		reserved(0x1000, 0x1fff, 8);
		scope(DMAR_ENDPOINT, 0, 0, 2, 0);
		unit(0xfed91000, 0, 0);
		for (int flips = 1 + rand() % 8; flips > 0; flips--)
			bytes[HEADER + (unsigned)rand() % (end - HEADER)] = (uint8_t)rand();
		read_table(HEADER + (unsigned)rand() % (end - HEADER + 1));
		check(dmar.unit_count <= 8 && dmar.range_count <= 8 && dmar.ioapic_count <= 8);
		for (unsigned j = 0; j < dmar.ioapic_count; j++)
			check(dmar.ioapics[j].device.hops >= 1 &&
				dmar.ioapics[j].device.hops <= IOMMU_MAX_HOPS);
		for (unsigned j = 0; j < dmar.range_count; j++)
			check(dmar.ranges[j].device.hops >= 1 &&
				dmar.ranges[j].device.hops <= IOMMU_MAX_HOPS);
	}
}

static const struct test rows[] = {
	{"dmar.whole", "units and reserved memory are what the table says", whole},
	{"dmar.none", "without a table there is nothing, with an empty one no unit", none},
	{"dmar.bridges", "a device behind bridges has its whole way", bridges},
	{"dmar.types", "entries of other types are passed over", strange_types},
	{"dmar.ranges", "memory that is not whole pages from one to another is refused",
		refused_ranges},
	{"dmar.many", "what there is no room for is counted", too_many},
	{"dmar.lengths", "a wrong length is noticed, whatever it is", lengths},
	{"dmar.damaged", "damaged tables are never read past their end", damaged},
};

const struct tests dmar_tests = {rows, array_count(rows)};
