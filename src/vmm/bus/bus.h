// SPDX-License-Identifier: BSD-2-Clause
// A bus: windows of guest-physical memory or of I/O ports, each answered by one device model.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bus_width {
	BUS_WIDTH_1 = 1,
	BUS_WIDTH_2 = 2,
	BUS_WIDTH_4 = 4,
	BUS_WIDTH_8 = 8,
};

// What a device offers; offset counts from the start of its window. The mask of widths is the sum
// of the `enum bus_width` values it accepts; any other access reads all ones or is dropped.
struct bus_device {
	const char *name;
	uint64_t base;
	uint64_t size;
	unsigned widths;
	uint64_t (*read)(void *device, uint64_t offset, enum bus_width width);
	void (*write)(void *device, uint64_t offset, enum bus_width width, uint64_t value);
};

enum { BUS_WINDOWS = 16 };

struct bus {
	struct {
		const struct bus_device *model;
		void *device;
	} windows[BUS_WINDOWS]; // filled while the machine is built, constant afterwards
	size_t count;
	uint64_t unclaimed; // accesses that no window answered
};

// False when the window is empty, wraps, overlaps another one, or the bus is full.
[[nodiscard]] bool bus_add(struct bus *bus, const struct bus_device *model, void *device);
// Whether some window covers the address.
[[nodiscard]] bool bus_claims(const struct bus *bus, uint64_t address);
[[nodiscard]] uint64_t bus_read(struct bus *bus, uint64_t address, enum bus_width width);
void bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value);

// The value with only `width` low bytes kept.
static inline uint64_t bus_truncate(uint64_t value, enum bus_width width) {
	return width == BUS_WIDTH_8 ? value : value & ((1ull << (8 * width)) - 1);
}
