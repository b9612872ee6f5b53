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

static const struct bus_ops ops = {"probe", 1 | 4, probe_read, probe_write};

static struct bus_window window_at(struct probe *probe, uint64_t base, uint64_t size) {
	return (struct bus_window){.ops = &ops, .device = probe, .base = base, .size = size};
}

static void test_windows(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	struct bus_window next = window_at(&probe, 0x110, 0x10);
	struct bus_window low = window_at(&probe, 0x100, 0x10);
	struct bus_window top = window_at(&probe, ~0ull - 7, 8);
	struct bus_window bad[] = {
		window_at(&probe, 0x10f, 2), // overlaps both
		window_at(&probe, 0x100, 0x10),
		window_at(&probe, 0x108, 1),
		window_at(&probe, 0, 0x101),
		window_at(&probe, 0, 0x1000),
		window_at(&probe, 0x500, 0), // empty
		window_at(&probe, ~0ull - 3, 8), // wraps
		window_at(&probe, 0, ~0ull),
	};

	check(bus_add(&bus, &next) && bus_add(&bus, &low) && bus_add(&bus, &top));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(!bus_add(&bus, &bad[i]));
	check(!bus_add(&bus, &low));
	check(bus_claims(&bus, 0x10f) && bus_claims(&bus, 0x11f) && bus_claims(&bus, ~0ull));
	check(!bus_claims(&bus, 0xff) && !bus_claims(&bus, 0x120));
}

static void test_access(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	struct bus_window low = window_at(&probe, 0x100, 0x10);

	check(bus_add(&bus, &low));
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_4), 0x55667788);
	check_equal(probe.offset, 4);
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_1), 0x88);
	bus_write(&bus, 0x108, BUS_WIDTH_1, 0x1234);
	check_equal(probe.value, 0x34);
}

static void test_refused(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	struct bus_window low = window_at(&probe, 0x100, 0x10);

	check(bus_add(&bus, &low));
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_2), 0xffff);
	check_equal(bus_read(&bus, 0x10e, BUS_WIDTH_4), 0xffffffff);
	check_equal(bus_read(&bus, 0x900, BUS_WIDTH_8), UINT64_MAX);
	bus_write(&bus, 0x104, BUS_WIDTH_8, 1);
	bus_write(&bus, 0x10d, BUS_WIDTH_4, 1);
	bus_write(&bus, 0xfff, BUS_WIDTH_1, 1);
	check_equal(probe.reads + probe.writes, 0);
}

static bool put(struct bus *bus, struct bus_window *window, uint64_t base) {
	bus_remove(bus, window);
	window->base = base;
	return bus_add(bus, window);
}

// As software moves the window of a base address register, also while it is the one used last.
static void test_move(void) {
	struct bus bus = {0};
	struct probe one = {0}, other = {0};
	struct bus_window first = window_at(&one, 0x100, 0x10);
	struct bus_window second = window_at(&other, 0x200, 0x10);

	check(bus_add(&bus, &first) && bus_add(&bus, &second));
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_1), 0x88);
	check(!put(&bus, &first, 0x1f8)); // into the other
	check(!put(&bus, &first, ~0ull - 3));
	check(put(&bus, &first, 0x108)); // over its own old place
	check(put(&bus, &first, 0x300)); // past the other
	check_equal(bus_read(&bus, 0x104, BUS_WIDTH_1), 0xff);
	bus_write(&bus, 0x301, BUS_WIDTH_1, 7);
	bus_write(&bus, 0x202, BUS_WIDTH_1, 8);
	check(one.offset == 1 && one.value == 7 && other.offset == 2 && other.value == 8);
	check(put(&bus, &second, 0x100));
	check(bus_claims(&bus, 0x10f) && !bus_claims(&bus, 0x200));
}

static void test_remove(void) {
	struct bus bus = {0};
	struct probe probe = {0};
	struct bus_window first = window_at(&probe, 0x100, 0x10);
	struct bus_window second = window_at(&probe, 0x200, 0x10);
	struct bus_window stranger = window_at(&probe, 0x208, 4);

	check(bus_add(&bus, &second) && bus_add(&bus, &first));
	check_equal(bus_read(&bus, 0x204, BUS_WIDTH_1), 0x88);
	bus_remove(&bus, &stranger); // never added
	bus_remove(&bus, &second);
	check_equal(bus_read(&bus, 0x204, BUS_WIDTH_1), 0xff);
	bus_remove(&bus, &second);
	check(bus_add(&bus, &stranger) && bus_claims(&bus, 0x20b) && bus_claims(&bus, 0x100));
	bus_remove(&bus, &stranger);
	check(bus_add(&bus, &second));
	check_equal(bus_read(&bus, 0x20f, BUS_WIDTH_1), 0x88);
}

enum { WINDOWS = 64, SPACE = 4096, ABSENT = -1 };

static int owner[SPACE]; // which window should answer at each address

static void own(int number, const struct bus_window *window) {
	for (unsigned at = 0; at < SPACE; at++)
		if (owner[at] == number) owner[at] = ABSENT;
	for (uint64_t at = 0; window && at < window->size; at++)
		owner[window->base + at] = number;
}

static bool is_free(int number, uint64_t base, uint64_t size) {
	for (uint64_t at = base; at < base + size; at++)
		if (owner[at] != ABSENT && owner[at] != number) return false;
	return true;
}

// Random changes, against a map of single addresses.
static void test_any_number(void) {
	static struct bus_window windows[WINDOWS];
	bool there[WINDOWS] = {false};
	struct bus bus = {0};
	struct probe probe = {0};
	uint32_t seed = 1;

	for (unsigned i = 0; i < SPACE; i++)
		owner[i] = ABSENT;
	for (unsigned i = 0; i < WINDOWS; i++)
		windows[i] = window_at(&probe, 0, 1 + i);
	for (unsigned round = 0; round < 20000; round++) {
		seed = seed * 1664525 + 1013904223;
		int number = seed >> 8 & (WINDOWS - 1);
		uint64_t base = (seed >> 16) % (SPACE - WINDOWS);
		struct bus_window *window = &windows[number];
		bool fits = is_free(number, base, window->size);

		if (!there[number]) {
			window->base = base;
			check_equal(bus_add(&bus, window), fits);
			there[number] = fits;
		} else if (round % 3 == 0) {
			bus_remove(&bus, window);
			there[number] = false;
		} else {
			there[number] = put(&bus, window, base);
			check_equal(there[number], fits);
		}
		own(number, there[number] ? window : NULL);
		base = (seed >> 4) % SPACE;
		check_equal(bus_claims(&bus, base), owner[base] != ABSENT);
	}
}

static void test_behind(void) {
	struct bus shared = {0}, own = {.behind = &shared};
	struct probe near = {0}, far = {0};
	struct bus_window page = window_at(&near, 0x100, 0x10);
	struct bus_window common = window_at(&far, 0, 0x1000);

	check(bus_add(&own, &page) && bus_add(&shared, &common));
	bus_write(&own, 0x104, BUS_WIDTH_1, 1);
	bus_write(&own, 0x110, BUS_WIDTH_1, 2);
	bus_write(&shared, 0x104, BUS_WIDTH_1, 3);
	check(near.writes == 1 && far.writes == 2 && bus_claims(&own, 0xfff));
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
	check(memory_at(&memory, guest_physical(64), 0));
	check(!memory_at(&memory, guest_physical(65), 0));
	check(!memory_at(&memory, guest_physical(8), UINT64_MAX));
	check(!memory_at(&memory, guest_physical(UINT64_MAX), 2));
}

int main(void) {
	static const struct test tests[] = {
		{"bus.windows", "windows that overlap, wrap or are empty are refused",
			test_windows},
		{"bus.access", "an access reaches its window, truncated to its width", test_access},
		{"bus.refused", "wrong widths, crossing and unclaimed accesses are harmless",
			test_refused},
		{"bus.move", "a window moves to where it fits", test_move},
		{"bus.remove", "a window that was removed answers no longer", test_remove},
		{"bus.any_number", "any number of windows, changed at any time", test_any_number},
		{"bus.behind", "a bus passes on what it does not have", test_behind},
		{"line.edges", "a line reports changes only", test_line},
		{"memory.bounds", "guest memory checks every address without overflow",
			test_memory},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
