// SPDX-License-Identifier: BSD-2-Clause
// Frames of guests: every error in its order, the memory types, and large frames
// where a large page with code can stop the CPU.
#include "calls.h"
#include "test.h"

#include <cpu/mitigations.h>
#include <cpu/percpu.h>

static void guest_frame_errors(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *small = world_frame(KIB4, 0x200000);
	struct slot *large = world_frame(MIB2, 0x400000);
	struct slot *huge = world_frame(GIB1, 0x40000000);

	check(is_capability(map_guest(small, world_space(OBJECT_PML4), 0), 1));
	check(is_capability(map_guest(small, world_table(OBJECT_EPT_PML4), 0), 1));
	check(is_invalid_root(map_guest(small, lost_space(OBJECT_EPT_PML4), 0)));
	check(is_capability(map_guest(small, robbed_space(OBJECT_EPT_PML4), 0), 1));
	check(map_guest(large, root, 0x1000) == ERROR_ALIGNMENT);
	check(is_missing(map_guest(huge, root, 0), 39));
	world_map_path(root, 0);
	check(map_guest(large, root, 0) == ERROR_DELETE_FIRST);
	check(map_guest(huge, root, 0) == ERROR_DELETE_FIRST);
	check(is_capability(map_guest(huge, root, 0x40000000), 0));
	check(is_missing(map_guest(small, root, 0x40000000), 30));
	check(is_missing(map_guest(small, root, 0x200000), 21));
	check(map_guest(small, root, 0xfff) == ERROR_NONE);
	check(map_guest(world_copy(small), root, 0) == ERROR_DELETE_FIRST);
	check(map_guest(large, root, 0x200000) == ERROR_NONE);
	check(world.guest_flushes == 0);
	check(world_call(frame_unmap, (struct call){.slot = large}) == ERROR_NONE);
	check(*world_entry(root, 0x200000, 2) == 0);
	check(world.guest_flushes == 1);
}

// The number of the 512 entries at address that lead to the pages of a large frame at 4 MiB, in
// their order, and have these low bits.
static unsigned split_entries(struct slot *root, uint64_t address, uint64_t low_bits) {
	const uint64_t *entries = world_entry(root, address, 1);
	bool is_hidden = !(low_bits & 1);
	unsigned count = 0;

	for (uint64_t i = 0; i < PAGING_ENTRIES; i++) {
		uint64_t page = (0x400000 + i * 0x1000) ^ (is_hidden ? PAGING_ADDRESS : 0);

		count += (entries[i] & (PAGING_ADDRESS | 0xfff)) == (page | low_bits);
	}
	return count;
}

static void guest_split_frame(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *small = world_frame(KIB4, 0x200000);
	struct slot *large = world_frame(MIB2, 0x400000);
	struct slot *table = world_table(OBJECT_EPT_PT);
	struct call hidden = {large, root, {0x200000, RIGHT_WRITE, 0}};

	this_cpu()->mitigations = MITIGATION_BIT(ITLB_MULTIHIT);
	check(map_guest(large, root, 0x1000) == ERROR_ALIGNMENT);
	check(is_missing(map_guest(large, root, 0), 39));
	world_map_path(root, 0);
	check(is_missing(map_guest(large, root, 0x200000), 21));
	check(!large->cap.map.mapped);
	check(map_table(table, root, 0x200000) == ERROR_NONE);
	check(map_guest(small, root, 0x3ff000) == ERROR_NONE);
	check(map_guest(large, root, 0x200000) == ERROR_DELETE_FIRST);
	check(split_entries(root, 0x200000, 0x37) == 0);
	world_delete(small);
	check(map_guest(large, root, 0x200000) == ERROR_NONE);
	check(split_entries(root, 0x200000, 0x37) == 512);
	check(map_guest(world_frame(KIB4, 0), root, 0x201000) == ERROR_DELETE_FIRST);
	check(is_capability(map_guest(large, root, 0x200000), 0));

	check(world.guest_flushes == 1);
	check(world_call(frame_unmap, (struct call){.slot = large}) == ERROR_NONE);
	check(world.guest_flushes == 2 && !large->cap.map.mapped);
	check(world.flushed_guest == physical_of(cap_object(&root->cap)).value);
	for (unsigned i = 0; i < 512; i++)
		check(world_entry(root, 0x200000, 1)[i] == 0);

	check(world_call(frame_map_ept, hidden) == ERROR_NONE);
	check(split_entries(root, 0x200000, 0) == 512);
	world_delete(large);
	check(world.guest_flushes == 3);
	check(split_entries(root, 0x200000, 0) == 0);
}

// A frame whose table was replaced has nothing in the new one.
static void guest_split_replaced(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *large = world_frame(MIB2, 0x400000);
	struct slot *other = world_frame(KIB4, 0x200000);
	struct world_path path = world_map_path(root, 0);

	this_cpu()->mitigations = MITIGATION_BIT(ITLB_MULTIHIT);
	check(map_guest(large, root, 0) == ERROR_NONE);
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_NONE);
	check(*(uint64_t *)cap_object(&path.table->cap) == 0);
	check(map_table(path.table, root, 0) == ERROR_NONE);
	check(map_guest(other, root, 0) == ERROR_NONE);
	world_delete(large);
	check(*world_entry(root, 0, 1) != 0);
	check(world.guest_flushes == 1);
}

// Each of the pages has the memory type and the rights of the frame.
static void guest_split_kinds(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *large = world_frame(MIB2, 0x400000);

	this_cpu()->mitigations = MITIGATION_BIT(ITLB_MULTIHIT);
	world_map_path(root, 0);
	for (unsigned i = 0; i < 8; i++) {
		unsigned type = i & 1 ? 1 : 6, allowed = i & 2 ? RW : RIGHT_READ;

		large->cap.device = i >> 2 & 1;
		large->cap.rights = allowed & 0xf;
		check(world_call(frame_map_ept, (struct call){large, root, {0, RW, type}}) ==
			ERROR_NONE);
		if (large->cap.device && type == 6) type = 0;
		check(split_entries(root, 0, (allowed == RW ? 7 : 5) | type << 3) == 512);
		check(world_call(frame_unmap, (struct call){.slot = large}) == ERROR_NONE);
		check(split_entries(root, 0, 0) == 0);
	}
}

// A program may have its large pages all the same.
static void host_not_split(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *large = world_frame(MIB2, 0x400000);

	this_cpu()->mitigations = MITIGATION_BIT(ITLB_MULTIHIT);
	world_map_path(root, 0x40000000);
	check(map(large, root, 0x40000000) == ERROR_DELETE_FIRST);
	check(map(large, root, 0x40200000) == ERROR_NONE);
	check((*world_entry(root, 0x40200000, 2) & 0xff) == 0x87);
	world_delete(large);
	check(*world_entry(root, 0x40200000, 2) == 0);
}

static void guest_no_access(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *frame = world_frame(KIB4, 0);
	struct call call = {frame, root, {0x3000, RIGHT_WRITE, 0}};

	world_map_path(root, 0);
	check(world_call(frame_map_ept, call) == ERROR_NONE);
	check((*world_entry(root, 0x3000, 1) & 7) == 0);
	check(map_guest(world_frame(KIB4, 0x1000), root, 0x3000) == ERROR_DELETE_FIRST);
	world_delete(frame);
	check(*world_entry(root, 0x3000, 1) == 0);
	check(world.guest_flushes == 1);
}

// The guest's PAT may still choose (SDM 3C 29.3.7.2): bit 6 stays clear.
static unsigned memory_type(const uint64_t *entry) { return *entry >> 3 & 15; }

static void guest_device_memory(void) {
	static const uint64_t rows_of_types[][3] = {{0, 0, 0}, {1, 1, 1}, {4, 4, 0}, {6, 6, 0},
		{2, 6, 0}, {5, 6, 0}, {7, 6, 0}, {8, 6, 0}, {1ul << 32 | 1, 6, 0}};
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *frame = world_frame(KIB4, 0);

	world_map_path(root, 0);
	for (unsigned i = 0; i < 2 * array_count(rows_of_types); i++) {
		const uint64_t *row = rows_of_types[i / 2];

		frame->cap.device = i % 2;
		check(world_call(frame_map_ept, (struct call){frame, root, {0, RW, row[0]}}) ==
			ERROR_NONE);
		check(memory_type(world_entry(root, 0, 1)) == row[1 + i % 2]);
		check(world_call(frame_unmap, (struct call){.slot = frame}) == ERROR_NONE);
	}
}

static const struct test rows[] = {
	{"frame.map.guest", "mapping a frame for a guest answers each error in order",
		guest_frame_errors},
	{"frame.guest.split",
		"where the CPU wants it a guest sees a large frame by 512 small pages",
		guest_split_frame},
	{"frame.guest.split.stale", "an old split frame removes nothing of another's table",
		guest_split_replaced},
	{"frame.guest.split.kinds", "the pages of a split frame are as the frame is",
		guest_split_kinds},
	{"frame.split.host", "a program's large frame is one page all the same", host_not_split},
	{"frame.guest.none", "a guest page without rights gives no access and still counts",
		guest_no_access},
	{"frame.guest.device", "a guest's accesses to a device are uncached or write-combining",
		guest_device_memory},
};

const struct tests guest_tests = {rows, array_count(rows)};
