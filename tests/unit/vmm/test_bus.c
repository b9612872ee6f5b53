// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of bus, line and guest memory.
#include "../check.h"

#include <vmm/bus/bus.h>
#include <vmm/irq/line.h>
#include <vmm/host/memory.h>

struct probe {
	uint64_t offset, value;
	enum bus_width width;
	unsigned reads, writes;
};

static uint64_t probe_read(void *device, uint64_t offset, enum bus_width width) {
	struct probe *probe = device;
	probe->offset = offset;
	probe->width = width;
	probe->reads++;
	return 0x1122334455667788;
}

static void probe_write(void *device, uint64_t offset, enum bus_width width, uint64_t value) {
	struct probe *probe = device;
	*probe = (struct probe){offset, value, width, probe->reads, probe->writes + 1};
}

static const struct bus_device low = {"low", 0x100, 0x10, 1 | 4, probe_read, probe_write};
static const struct bus_device next = {"next", 0x110, 0x10, 1, probe_read, probe_write};
static const struct bus_device overlapping = {"over", 0x10f, 2, 1, probe_read, probe_write};
static const struct bus_device empty = {"empty", 0x500, 0, 1, probe_read, probe_write};
static const struct bus_device wrapping = {"wrap", ~0ull - 3, 8, 1, probe_read, probe_write};

static void test_windows(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	check(bus_add(&bus, &low, &probe));
	check(bus_add(&bus, &next, &probe));
	check(!bus_add(&bus, &overlapping, &probe));
	check(!bus_add(&bus, &low, &probe));
	check(!bus_add(&bus, &empty, &probe));
	check(!bus_add(&bus, &wrapping, &probe));
	check(bus_claims(&bus, 0x10f) && bus_claims(&bus, 0x11f));
	check(!bus_claims(&bus, 0xff) && !bus_claims(&bus, 0x120));
}

static void test_access(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	check(bus_add(&bus, &low, &probe));
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_4), 0x55667788);
	check_equal(probe.offset, 4);
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_1), 0x88);
	bus_write(&bus, 0x108, BUS_WIDTH_1, 0x1234);
	check_equal(probe.value, 0x34);
}

static void test_refused(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	check(bus_add(&bus, &low, &probe));
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_2), 0xffff);
	check_equal(bus_read(&bus, 0x10e, BUS_WIDTH_4), 0xffffffff);
	check_equal(bus_read(&bus, 0x900, BUS_WIDTH_8), UINT64_MAX);
	bus_write(&bus, 0x104, BUS_WIDTH_8, 1);
	bus_write(&bus, 0x10d, BUS_WIDTH_4, 1);
	bus_write(&bus, 0xfff, BUS_WIDTH_1, 1);
	check_equal(probe.reads + probe.writes, 0);
	check_equal(bus.unclaimed, 2);
}

static void test_full(void) {
	static struct bus_device many[BUS_WINDOWS + 1];
	struct bus bus = {0};
	for (unsigned i = 0; i <= BUS_WINDOWS; i++) {
		many[i] = (struct bus_device){"many", i * 16, 16, 1, probe_read, probe_write};
		check(bus_add(&bus, &many[i], NULL) == (i < BUS_WINDOWS));
	}
}

static unsigned edges;

static void count_edge(void *controller, unsigned input, enum line_level level) {
	(void)controller, (void)level;
	edges += input;
}

static void test_line(void) {
	struct line line = {.changed = count_edge, .input = 1};
	edges = 0;
	line_set(&line, LINE_LOW);
	line_set(&line, LINE_HIGH);
	line_set(&line, LINE_HIGH);
	line_set(&line, LINE_LOW);
	check_equal(edges, 2);
}

static void test_memory(void) {
	uint8_t bytes[64] = {0};
	struct guest_memory memory = {bytes, sizeof(bytes), 40};
	uint32_t word = 0xcafe;
	check(memory_write(&memory, guest_physical(60), &word, 4));
	check(!memory_write(&memory, guest_physical(61), &word, 4));
	check(memory_read(&memory, guest_physical(60), &word, 4));
	check_equal(word, 0xcafe);
	check(memory_at(&memory, guest_physical(64), 0) != NULL);
	check(memory_at(&memory, guest_physical(65), 0) == NULL);
	check(memory_at(&memory, guest_physical(8), UINT64_MAX) == NULL);
	check(memory_at(&memory, guest_physical(UINT64_MAX), 2) == NULL);
}

int main(void) {
	static const struct test tests[] = {
		{"bus.windows", "windows that overlap, wrap or are empty are refused",
			test_windows},
		{"bus.access", "an access reaches its window, truncated to its width", test_access},
		{"bus.refused", "wrong widths, crossing and unclaimed accesses are harmless",
			test_refused},
		{"bus.full", "a full bus refuses another window", test_full},
		{"line.edges", "a line tells about changes only", test_line},
		{"memory.bounds", "guest memory checks every address without overflow",
			test_memory},
	};
	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
