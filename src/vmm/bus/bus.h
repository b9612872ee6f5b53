// SPDX-License-Identifier: BSD-2-Clause
// A bus: windows of guest-physical memory or of I/O ports, each answered by one device model. A CPU
// with devices of its own has a bus of its own before the machine's.
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

// How a kind of device answers; offset counts from the start of the window. The mask of widths is
// the sum of the `enum bus_width` values it accepts; any other access reads all ones or is dropped.
struct bus_ops {
	const char *name;
	unsigned widths;
	uint64_t (*read)(void *device, uint64_t offset, enum bus_width width);
	void (*write)(void *device, uint64_t offset, enum bus_width width, uint64_t value);
};

// Where a device answers. Windows are part of their devices, which do not move; the bus owns
// `next`.
struct bus_window {
	const struct bus_ops *ops;
	void *device;
	uint64_t base, size;
	struct bus_window *next;
};

struct bus {
	struct bus_window *first; // ascending, without overlaps
	struct bus_window *recent; // answered last, or null
	struct bus *behind; // has what no window here covers, or null
};

// False when the window is empty, wraps, or overlaps another one, itself included.
[[nodiscard]] bool bus_add(struct bus *bus, struct bus_window *window);
// The window answers no longer; it may be added again. Nothing happens to one that is not there.
void bus_remove(struct bus *bus, struct bus_window *window);
// Whether some window, here or behind, covers the address.
[[nodiscard]] bool bus_claims(struct bus *bus, uint64_t address);
[[nodiscard]] uint64_t bus_read(struct bus *bus, uint64_t address, enum bus_width width);
void bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value);

// The value with only `width` low bytes kept.
static inline uint64_t bus_truncate(uint64_t value, enum bus_width width) {
	return width == BUS_WIDTH_8 ? value : value & ((1ull << (8 * width)) - 1);
}
