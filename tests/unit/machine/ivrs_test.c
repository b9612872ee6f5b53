// SPDX-License-Identifier: BSD-2-Clause
// The table IVRS, whole and damaged (48882 5.2). Each read is of a copy of its size, so that the
// address sanitizer sees what goes beyond it.
#include "test.h"

#include <base/compiler.h>
#include <iommu/firmware.h>
#include <stdlib.h>
#include <string.h>
#include <x86/ivrs.h>

enum { SIZE = 16384, DAMAGES = 20000, HEADER = 48, UNIT = 0xfeb80000, UNIT_SIZE = 0x4000 };

static uint8_t bytes[SIZE];
static unsigned end, block; // where the last block begins
static struct iommu_firmware ivrs;

static void put(uint64_t value, unsigned size) {
	memcpy(bytes + end, &value, size);
	end += size;
}

static void begin(void) {
	memset(bytes, 0, sizeof(bytes));
	end = HEADER;
}

static void unit(unsigned type, uint64_t address, unsigned segment) {
	block = end;
	put(type, 1);
	put(0x21, 1);
	put(0, 2);
	put(0x0002, 2);
	put(0x40, 2);
	put(address, 8);
	put(segment, 2);
	put(0, 6);
	if (type == IVRS_UNIT) return;
	put(0x80048f6ffd0aul, 8);
	put(0, 8);
}

// The last block has its length.
static void close(void) {
	uint16_t length = (uint16_t)(end - block);

	memcpy(bytes + block + 2, &length, 2);
}

static void device(unsigned type, unsigned number, unsigned settings) {
	put(type, 1);
	put(number, 2);
	put(settings, 1);
}

// Of 8 bytes.
static void device_with(unsigned type, unsigned number, unsigned settings, unsigned other) {
	device(type, number, settings);
	put(0, 1);
	put(other, 2);
	put(0, 1);
}

static void named(unsigned number, unsigned settings, unsigned name) {
	device(IVRS_NAMED, number, settings);
	put(0x30303030444d41ul, 8); // "AMD0000"
	put(0, 8);
	put(2, 1);
	put(name, 1);
	end += name;
}

static void memory(unsigned type, unsigned first, unsigned last, uint64_t start, uint64_t size) {
	put(type, 1);
	put(7, 1);
	put(32, 2);
	put(first, 2);
	put(last, 2);
	put(0, 8);
	put(start, 8);
	put(size, 8);
}

static void read_table(uint32_t size) {
	uint8_t *copy = malloc(size);

	memcpy(bytes + 4, &size, 4);
	memcpy(copy, bytes, size);
	ivrs.lost = ivrs.unit_count = 1;
	ivrs_read(&ivrs, copy);
	free(copy);
}

static void whole(void) {
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	device(IVRS_RANGE, 0x0008, 0);
	device(IVRS_END, 0xffff, 0);
	device_with(IVRS_SPECIAL, 0, 0xd7, 0x00a0);
	close();
	unit(IVRS_UNIT_WIDE, UNIT, 0);
	close();
	unit(IVRS_UNIT_NAMES, UNIT + UNIT_SIZE, 3);
	named(0xa5, 0x10, 9);
	close();
	memory(IVRS_MEMORY_ONE, 0x0010, 0xffff, 0x7b800000, 0x100000);
	read_table(end);
	check(ivrs.is_amd && ivrs.lost == 0);
	check_equal(ivrs.unit_count, 2);
	check(ivrs.units[0].address == UNIT && ivrs.units[0].size == UNIT_SIZE);
	check(ivrs.units[0].device == 2 && ivrs.units[0].capability == 0x40);
	check(ivrs.units[0].flags == 0x21 && ivrs.units[1].segment == 3);
	check_equal(ivrs.devices_count, 1); // the range has nothing, the other is elsewhere
	check(ivrs.devices[0].first == 0xa0 && ivrs.devices[0].last == 0xa0);
	check(ivrs.devices[0].settings == 0xd7 && !ivrs.devices[0].has_alias);
	check_equal(ivrs.range_count, 1);
	check(ivrs.ranges[0].memory.start == 0x7b800000 && ivrs.ranges[0].memory.end == 0x7b900000);
	check(ivrs.ranges[0].device.bus == 0 && ivrs.ranges[0].device.hops == 1);
	check_equal(ivrs.ranges[0].device.path[0], 0x10);
}

static void check_devices(unsigned at, unsigned first, unsigned last, unsigned settings) {
	check_equal(ivrs.devices[at].first, first);
	check_equal(ivrs.devices[at].last, last);
	check_equal(ivrs.devices[at].settings, settings);
}

static void devices(void) {
	begin();
	unit(IVRS_UNIT_NAMES, UNIT, 0);
	device(IVRS_ALL, 0x1234, 0x01);
	device(IVRS_SELECT, 0x0100, 0x02);
	device(IVRS_RANGE, 0x0200, 0x04);
	put(0, 4); // padding
	device(IVRS_END, 0x02ff, 0);
	device_with(IVRS_EXTENDED, 0x0300, 0x10, 0);
	device_with(IVRS_EXTENDED_RANGE, 0x0400, 0x20, 0);
	device(IVRS_END, 0x0400, 0);
	device_with(IVRS_ALIAS, 0x0500, 0, 0x0501);
	device_with(IVRS_ALIAS_RANGE, 0x0600, 0x40, 0x0700);
	device(IVRS_END, 0x06ff, 0);
	named(0x00a5, 0x80, 0);
	named(0x00a6, 0, 255);
	close();
	read_table(end);
	check_equal(ivrs.lost, 0);
	check_equal(ivrs.devices_count, 8);
	check_devices(0, 0, 0xffff, 0x01);
	check_devices(1, 0x0100, 0x0100, 0x02);
	check_devices(2, 0x0200, 0x02ff, 0x04);
	check_devices(3, 0x0300, 0x0300, 0x10);
	check_devices(4, 0x0400, 0x0400, 0x20);
	check_devices(5, 0x0500, 0x0500, 0);
	check(ivrs.devices[5].has_alias && ivrs.devices[5].alias == 0x0501);
	check_devices(6, 0x0600, 0x06ff, 0x40);
	check(ivrs.devices[6].has_alias && ivrs.devices[6].alias == 0x0700);
	check_devices(7, 0x00a5, 0x00a5, 0x80);
}

static void broken_ranges(void) {
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	device(IVRS_END, 0x02ff, 0);
	device(IVRS_RANGE, 0x0300, 1);
	device(IVRS_END, 0x02ff, 0);
	device(IVRS_END, 0x03ff, 0);
	close();
	read_table(end);
	check(ivrs.lost == 3 && ivrs.devices_count == 0);
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	device(IVRS_RANGE, 0x0300, 1); // without an end
	close();
	read_table(end);
	check(ivrs.lost == 1 && ivrs.devices_count == 0 && ivrs.unit_count == 1);
}

static void check_range(unsigned at, unsigned device) {
	check_equal(ivrs.ranges[at].device.bus, device >> 8);
	check_equal(ivrs.ranges[at].device.path[0], device & 0xff);
}

// A device that makes its requests as another needs the memory as that one, too.
static void memory_of_many(void) {
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	device_with(IVRS_ALIAS_RANGE, 0x0200, 0, 0x0108);
	device(IVRS_END, 0x02ff, 0);
	close();
	memory(IVRS_MEMORY_RANGE, 0x01ff, 0x0201, 0x1000, 0x2000);
	read_table(end);
	check(ivrs.lost == 0 && ivrs.range_count == 5);
	check_range(0, 0x01ff);
	check_range(1, 0x0200);
	check_range(2, 0x0108);
	check_range(3, 0x0201);
	check_range(4, 0x0108);
}

static void refused_memory(void) {
	static const uint64_t ranges[][2] = {
		{0x2000, 0}, {0x1001, 0xfff}, {0x1000, 0x800}, {-0x1000ul, 0x1000}, {0x1000, ~0ul}};

	for (unsigned i = 0; i < array_count(ranges); i++) {
		begin();
		memory(IVRS_MEMORY_ONE, 8, 0, ranges[i][0], ranges[i][1]);
		read_table(end);
		check(ivrs.lost == 1 && ivrs.range_count == 0);
	}
	begin();
	memory(IVRS_MEMORY_ALL, 0, 0, 0x1000, 0x1000); // would confine none
	memory(IVRS_MEMORY_RANGE, 9, 8, 0x1000, 0x1000);
	memory(IVRS_MEMORY_ONE, 8, 0, 0x1000, 0x1000);
	bytes[HEADER + 64 + 8] = 1; // of another segment
	read_table(end);
	check(ivrs.lost == 3 && ivrs.range_count == 0);
}

static void too_many(void) {
	begin();
	for (unsigned i = 0; i < IOMMU_MAX_UNITS + 3; i++) {
		unit(IVRS_UNIT, UNIT + UNIT_SIZE * i, 0);
		close();
	}
	unit(IVRS_UNIT, 0, 0);
	close();
	unit(IVRS_UNIT, UNIT + 0x800, 0);
	close();
	read_table(end);
	check(ivrs.unit_count == IOMMU_MAX_UNITS && ivrs.lost == 5 && ivrs.units_lost == 5);
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	for (unsigned i = 0; i < IOMMU_MAX_DEVICES + 2; i++)
		device(IVRS_SELECT, i, 1);
	close();
	read_table(end);
	check(ivrs.devices_count == IOMMU_MAX_DEVICES && ivrs.lost == 2);
	begin();
	memory(IVRS_MEMORY_RANGE, 0, 0xffff, 0x1000, 0x1000);
	read_table(end);
	check(ivrs.range_count == IOMMU_MAX_RANGES && ivrs.lost == 1);
}

// Blocks and entries that end before themselves, at the start of the next one, or behind the table.
static void lengths(void) {
	for (unsigned length = 0; length < 64; length++) {
		begin();
		unit(IVRS_UNIT, UNIT, 0);
		close();
		bytes[HEADER + 2] = (uint8_t)length;
		read_table(end);
		check((ivrs.lost == 0) == (length == 24));
		check((ivrs.units_lost == 0) == (length == 24));
		begin();
		memory(IVRS_MEMORY_ONE, 8, 0, 0x1000, 0x1000);
		bytes[HEADER + 2] = (uint8_t)length;
		read_table(end);
		check((ivrs.lost == 0) == (length == 32));
	}
	for (unsigned type = 0; type < 256; type++) {
		begin();
		unit(IVRS_UNIT, UNIT, 0);
		device(type, 8, 1);
		close();
		read_table(end);
		check((ivrs.lost == 0) == (type < 64 && type != IVRS_RANGE && type != IVRS_END));
		check_equal(ivrs.unit_count, 1);
	}
	begin();
	unit(IVRS_UNIT, UNIT, 0);
	named(8, 1, 4);
	bytes[end - 5] = 5; // the name goes on behind the block
	close();
	read_table(end);
	check(ivrs.lost == 1 && ivrs.devices_count == 0);
}

static void strange_types(void) {
	begin();
	for (unsigned type = 0; type < 256; type++) {
		if (type == IVRS_UNIT || type == IVRS_UNIT_WIDE || type == IVRS_UNIT_NAMES ||
			(type >= IVRS_MEMORY_ALL && type <= IVRS_MEMORY_RANGE))
			continue;
		put(type, 2);
		put(12, 2);
		put(~0ul, 8);
	}
	unit(IVRS_UNIT, UNIT, 0);
	close();
	read_table(end);
	check(ivrs.lost == 0 && ivrs.unit_count == 1);
}

static void damaged(void) {
	for (unsigned i = 0; i < DAMAGES; i++) {
		begin();
		unit(IVRS_UNIT, UNIT, 0);
		device_with(IVRS_ALIAS_RANGE, 0x0200, 0, 0x0108);
		device(IVRS_END, 0x02ff, 0);
		device_with(IVRS_SPECIAL, 0, 0xd7, 0x00a0);
		close();
		unit(IVRS_UNIT_NAMES, UNIT, 0);
		named(0xa5, 0x10, 9);
		device(IVRS_SELECT, 0x0010, 1);
		close();
		memory(IVRS_MEMORY_RANGE, 0x0200, 0x0202, 0x1000, 0x2000);
		for (int flips = 1 + rand() % 8; flips > 0; flips--)
			bytes[HEADER + (unsigned)rand() % (end - HEADER)] = (uint8_t)rand();
		read_table(HEADER + (unsigned)rand() % (end - HEADER + 1));
		check(ivrs.unit_count <= 8 && ivrs.devices_count <= 32);
		for (unsigned j = 0; j < ivrs.devices_count; j++)
			check(ivrs.devices[j].first <= ivrs.devices[j].last);
		for (unsigned j = 0; j < ivrs.range_count; j++)
			check(ivrs.ranges[j].device.hops == 1 &&
				ivrs.ranges[j].memory.start < ivrs.ranges[j].memory.end);
	}
}

static const struct test rows[] = {
	{"ivrs.whole", "units and memory are what the table says, however often it says it", whole},
	{"ivrs.devices", "each kind of entry gives its devices what it says", devices},
	{"ivrs.broken", "a range without a begin or an end, or with its end first, gives nothing",
		broken_ranges},
	{"ivrs.memory", "memory is of each device, and of the one as which it makes requests",
		memory_of_many},
	{"ivrs.refused", "memory that is not whole pages, or is all devices', is refused",
		refused_memory},
	{"ivrs.many", "what there is no room for is counted", too_many},
	{"ivrs.lengths", "a wrong length is noticed, whatever it is", lengths},
	{"ivrs.types", "blocks of other types are passed over", strange_types},
	{"ivrs.damaged", "damaged tables are never read past their end", damaged},
};

const struct tests ivrs_tests = {rows, array_count(rows)};
