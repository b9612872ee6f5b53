// SPDX-License-Identifier: BSD-2-Clause
// Spaces of devices, with a unit that records what it is asked for.
#include "calls.h"
#include "rows.h"
#include "test.h"

#include <cpu/platform.h>
#include <string.h>

enum { DEVICE = 0xa5c3, DOMAIN = 7, HERE = 0x40000000, DEVICES = 1 << 16 };

static struct {
	struct iommu_root roots[DEVICES];
	unsigned all; // changes of a root
	unsigned published, added;
} unit;

static void *device_entry(unsigned device) { return &unit.roots[device]; }

static struct iommu_root root_read(const void *device) {
	return *(const struct iommu_root *)device;
}

static void root_write(void *device, struct iommu_root root) {
	*(struct iommu_root *)device = root;
	unit.all++;
}

static void publish(const void *, uint64_t) { unit.published++; }

static void entry_added(unsigned domain, uint64_t, unsigned) {
	check_equal(domain, DOMAIN);
	unit.added++;
}

static struct iommu iommu = {.paging = &world_dma_format,
	.page_bits = 1 << 11,
	.device = device_entry,
	.root = root_read,
	.set_root = root_write,
	.publish = publish,
	.entry_added = entry_added};

static struct slot *begin(unsigned levels) {
	struct slot *space = world_empty();
	struct cap cap;

	memset(&unit, 0, sizeof(unit));
	iommu.levels = levels;
	iommu.largest_page = 2;
	iommu.domains = 16;
	iommu.limit = (1ul << 39) - 1;
	world_dma_format = dma_format;
	dma_invalidations = (struct invalidations){};
	this_cpu()->platform->iommu = &iommu;
	cap = cap_make(CAP_IO_SPACE, &unit.roots[DEVICE]);
	cap.word = DOMAIN << IO_SPACE_DOMAIN_SHIFT | DEVICE;
	derive_insert_original(space, cap, NULL);
	return space;
}

static enum error map_table_io(struct slot *table, struct slot *space, uint64_t address) {
	return world_call(
		io_table_map, (struct call){.slot = table, .cap = space, .words = {address}});
}

static enum error map_io(struct slot *frame, struct slot *space, uint64_t address) {
	return world_call(
		io_frame_map, (struct call){.slot = frame, .cap = space, .words = {RW, address}});
}

static enum error unmap(struct slot *frame) {
	return world_call(frame_unmap, (struct call){.slot = frame});
}

// All tables, the root first.
static void path(struct slot *space, struct slot *tables[5]) {
	for (unsigned i = 0; i < iommu.levels; i++) {
		tables[i] = world_table(OBJECT_IO_PAGE_TABLE);
		check(map_table_io(tables[i], space, HERE) == ERROR_NONE);
	}
}

static uint64_t *entry_at(uint64_t address, unsigned level) {
	uint64_t *root = physical_pointer(unit.roots[DEVICE].table);

	return paging_walk_from(root, iommu.levels, address, level).entry;
}

static void levels(void) {
	for (unsigned count = 3; count <= 5; count++) {
		struct slot *space, *tables[5], *frame, *spare;

		world_reset();
		space = begin(count);
		frame = world_frame(KIB4, 0x5000);
		spare = world_table(OBJECT_IO_PAGE_TABLE);
		check(map_io(frame, space, HERE) == ERROR_FAILED_LOOKUP);
		path(space, tables);
		check(map_table_io(spare, space, HERE) == ERROR_DELETE_FIRST);
		check(unit.roots[DEVICE].domain == DOMAIN);
		check(tables[0]->cap.map.depth == count && tables[count - 1]->cap.map.depth == 1);
		unit.published = unit.added = 0;
		check(map_io(frame, space, HERE + 0x123) == ERROR_NONE);
		check_equal(*entry_at(HERE, 1), 0x5000 | 3 | 1 << 11);
		check(unit.published == 1 && unit.added == 1);
		check(frame->cap.map.format == SPACE_DMA && cap_address(&frame->cap) == HERE);
		check(unmap(frame) == ERROR_NONE && *entry_at(HERE, 1) == 0);
		check(dma_invalidations.pages == 1 && dma_invalidations.address == HERE);
		check(dma_invalidations.asid == DOMAIN);
		check(unmap(frame) == ERROR_NONE && dma_invalidations.pages == 1);
	}
}

static void one_invalidation(void) {
	struct slot *space, *tables[5];
	uint64_t *table;

	world_reset();
	space = begin(3);
	path(space, tables);
	table = cap_object(&tables[2]->cap);
	for (unsigned i = 0; i < PAGING_ENTRIES; i++)
		table[i] = paging_page_entry(&world_dma_format, physical(i << PAGE_BITS), 1,
			PAGING_READ_WRITE, 0, false);
	unit.all = 0;
	world_delete(tables[2]);
	check(dma_invalidations.pages == 0 && dma_invalidations.spaces == 1 && unit.all == 0);
	check(*entry_at(HERE, 2) == 0);
	world_delete(tables[0]);
	check(unit.all == 1 && unit.roots[DEVICE].table.value == 0);
	world_delete(tables[1]); // out of reach
	check(dma_invalidations.spaces == 1 && unit.all == 1);
}

static void large(void) {
	struct slot *space, *root, *directory, *frame = NULL;

	world_reset();
	space = begin(3);
	root = world_table(OBJECT_IO_PAGE_TABLE);
	directory = world_table(OBJECT_IO_PAGE_TABLE);
	frame = world_frame(MIB2, 0x200000);
	check(map_table_io(root, space, 0) == ERROR_NONE);
	check(map_table_io(directory, space, HERE) == ERROR_NONE);
	check(map_io(frame, space, HERE + 0x1000) == ERROR_ALIGNMENT);
	iommu.largest_page = 1;
	check(is_capability(map_io(frame, space, HERE), 0));
	iommu.largest_page = 2;
	check(map_io(frame, space, HERE) == ERROR_NONE);
	check_equal(*entry_at(HERE, 2), 0x200000 | PAGING_LARGE | 3 | 1 << 11);
	check(map_table_io(world_table(OBJECT_IO_PAGE_TABLE), space, HERE) == ERROR_DELETE_FIRST);
	world_delete(frame);
	check(dma_invalidations.spaces == 1 && dma_invalidations.pages == 0);
}

// What was put in its place is not taken away by a capability whose own has gone.
static void stale(void) {
	struct slot *space, *tables[5], *others[5], *frame, *other;

	world_reset();
	space = begin(3);
	path(space, tables);
	frame = world_frame(KIB4, 0x5000);
	other = world_frame(KIB4, 0x6000);
	check(map_io(frame, space, HERE) == ERROR_NONE);
	world_delete(tables[0]);
	path(space, others);
	check(map_io(other, space, HERE) == ERROR_NONE);
	check(unmap(frame) == ERROR_NONE);
	check(*entry_at(HERE, 1) != 0 && dma_invalidations.pages == 0);
	world_delete(tables[2]);
	world_delete(tables[1]);
	check(*entry_at(HERE, 1) != 0 && dma_invalidations.spaces == 0);
}

// Memory that the kernel keeps open to the device ends with the first table of a program.
static void kept(void) {
	struct slot *space, *table;

	world_reset();
	space = begin(3);
	table = world_table(OBJECT_IO_PAGE_TABLE);
	unit.roots[DEVICE] = (struct iommu_root){physical(0x9000), 16};
	check(map_io(world_frame(KIB4, 0x5000), space, HERE) == ERROR_FAILED_LOOKUP);
	io_space_destroy(space, true);
	check(unit.all == 0 && unit.roots[DEVICE].domain == 16);
	check(map_table_io(table, space, 0) == ERROR_NONE);
	check(unit.roots[DEVICE].domain == DOMAIN);
	io_space_destroy(space, false);
	check(unit.roots[DEVICE].table.value);
	io_space_destroy(space, true);
	check(!unit.roots[DEVICE].table.value);
}

static void copies(void) {
	struct slot *space, *tables[5], *copy;

	world_reset();
	space = begin(4);
	path(space, tables);
	copy = world_copy(tables[0]);
	check(copy && copy->cap.map.mapped);
	check(world_call(table_unmap, (struct call){.slot = copy}) == ERROR_REVOKE_FIRST);
	world_delete(copy);
	check(unit.roots[DEVICE].table.value);
	check(world_call(table_unmap, (struct call){.slot = tables[0]}) == ERROR_NONE);
	check(!unit.roots[DEVICE].table.value && !world_copy(tables[0]));
	check(map_table_io(tables[0], space, 0) == ERROR_NONE);
	check(is_argument(map_table_io(world_table(OBJECT_IO_PAGE_TABLE), space, 1ul << 40), 0));
}

static const struct test rows[] = {
	{"io.levels", "tables of 3 to 5 levels go from the root down, and a page below", levels},
	{"io.one", "512 pages go with one invalidation", one_invalidation},
	{"io.large", "a large frame is a page of its size", large},
	{"io.stale", "a capability never removes another one's entry", stale},
	{"io.kept", "firmware's memory is not a program's root", kept},
	{"io.copies", "only the last capability unmaps a table", copies},
};

const struct tests io_space_tests = {rows, array_count(rows)};
