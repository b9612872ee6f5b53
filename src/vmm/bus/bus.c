// SPDX-License-Identifier: BSD-2-Clause
// A bus: windows are found by address; an access must lie inside one window and have a width it
// takes.
#include <vmm/bus/bus.h>

bool bus_add(struct bus *bus, const struct bus_device *model, void *device) {
	uint64_t last = model->base + (model->size - 1);
	if (bus->count == BUS_WINDOWS || model->size == 0 || last < model->base) return false;
	for (size_t i = 0; i < bus->count; i++) {
		const struct bus_device *other = bus->windows[i].model;
		if (model->base <= other->base + (other->size - 1) && other->base <= last)
			return false;
	}
	bus->windows[bus->count].model = model;
	bus->windows[bus->count].device = device;
	bus->count++;
	return true;
}

static size_t bus_find(const struct bus *bus, uint64_t address) {
	for (size_t i = 0; i < bus->count; i++) {
		const struct bus_device *model = bus->windows[i].model;
		if (address - model->base < model->size) return i;
	}
	return BUS_WINDOWS;
}

bool bus_claims(const struct bus *bus, uint64_t address) {
	return bus_find(bus, address) != BUS_WINDOWS;
}

// The window that takes the whole access, or BUS_WINDOWS.
static size_t bus_route(struct bus *bus, uint64_t address, enum bus_width width) {
	size_t index = bus_find(bus, address);
	if (index == BUS_WINDOWS) {
		bus->unclaimed++;
		return BUS_WINDOWS;
	}
	const struct bus_device *model = bus->windows[index].model;
	bool inside = width <= model->size && address - model->base <= model->size - width;
	return inside && (model->widths & width) ? index : BUS_WINDOWS;
}

uint64_t bus_read(struct bus *bus, uint64_t address, enum bus_width width) {
	size_t index = bus_route(bus, address, width);
	if (index == BUS_WINDOWS) return bus_truncate(UINT64_MAX, width);
	const struct bus_device *model = bus->windows[index].model;
	uint64_t value = model->read(bus->windows[index].device, address - model->base, width);
	return bus_truncate(value, width);
}

void bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value) {
	size_t index = bus_route(bus, address, width);
	if (index == BUS_WINDOWS) return;
	const struct bus_device *model = bus->windows[index].model;
	model->write(bus->windows[index].device, address - model->base, width,
		bus_truncate(value, width));
}
