// SPDX-License-Identifier: BSD-2-Clause
// A bus: windows are found by address; an access must lie inside one window and have a width it
// takes.
#include <vmm/bus/bus.h>

// The link to the first window that ends at the address or behind it.
static struct bus_window **bus_link(struct bus *bus, uint64_t address) {
	struct bus_window **link = &bus->first;

	while (*link && (*link)->base + ((*link)->size - 1) < address)
		link = &(*link)->next;
	return link;
}

static bool bus_fits(struct bus *bus, const struct bus_window *window) {
	uint64_t last = window->base + (window->size - 1);
	const struct bus_window *next = *bus_link(bus, window->base);

	return window->size > 0 && last >= window->base && (!next || next->base > last);
}

bool bus_add(struct bus *bus, struct bus_window *window) {
	struct bus_window **link = bus_link(bus, window->base);

	if (!bus_fits(bus, window)) return false;
	window->next = *link;
	*link = window;
	return true;
}

void bus_remove(struct bus *bus, struct bus_window *window) {
	struct bus_window **link = bus_link(bus, window->base);

	if (*link != window) return;
	*link = window->next;
	if (bus->recent == window) bus->recent = NULL;
}

static bool covers(const struct bus_window *window, uint64_t address) {
	return window && address - window->base < window->size;
}

// A guest uses one device many times in a row.
static struct bus_window *bus_find(struct bus *bus, uint64_t address) {
	struct bus_window *window;

	for (; bus; bus = bus->behind) {
		window = bus->recent;
		if (!covers(window, address)) window = *bus_link(bus, address);
		if (!covers(window, address)) continue;
		bus->recent = window;
		return window;
	}
	return NULL;
}

bool bus_claims(struct bus *bus, uint64_t address) { return bus_find(bus, address); }

// The window that takes the whole access, or null.
static struct bus_window *bus_route(struct bus *bus, uint64_t address, enum bus_width width) {
	struct bus_window *window = bus_find(bus, address);
	bool inside;

	if (!window) return NULL;
	inside = width <= window->size && address - window->base <= window->size - width;
	return inside && (window->ops->widths & width) ? window : NULL;
}

uint64_t bus_read(struct bus *bus, uint64_t address, enum bus_width width) {
	const struct bus_window *window = bus_route(bus, address, width);
	uint64_t value = UINT64_MAX;

	if (window) value = window->ops->read(window->device, address - window->base, width);
	return bus_truncate(value, width);
}

void bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value) {
	const struct bus_window *window = bus_route(bus, address, width);

	if (window)
		window->ops->write(
			window->device, address - window->base, width, bus_truncate(value, width));
}
