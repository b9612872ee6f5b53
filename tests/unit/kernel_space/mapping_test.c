// SPDX-License-Identifier: BSD-2-Clause
// Table and frame operations: every error in its order, then the effects.
#include "calls.h"
#include "test.h"

#include <cpu/percpu.h>
#include <string.h>

#define HERE 0x10000000000ul // 1 TiB

static void table_errors(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *guest = world_space(OBJECT_EPT_PML4);
	struct slot *pdpt = world_table(OBJECT_PDPT);
	struct slot *directory = world_table(OBJECT_PAGE_DIRECTORY);
	struct slot *table = world_table(OBJECT_PAGE_TABLE);

	check(is_capability(map_table(pdpt, world_table(OBJECT_PML4), ~0ul), 1));
	check(is_capability(map_table(pdpt, guest, 0), 1));
	check(is_capability(map_table(pdpt, directory, 0), 1));
	check(is_argument(map_table(pdpt, lost_space(OBJECT_PML4), 1ul << 47), 0));
	check(is_argument(map_table(directory, root, ~0ul), 0));
	check(is_invalid_root(map_table(directory, lost_space(OBJECT_PML4), 0)));
	check(is_capability(map_table(directory, robbed_space(OBJECT_PML4), 0), 1));
	check(is_missing(map_table(directory, root, HERE), 39));
	check(is_missing(map_table(table, root, HERE), 39));
	check(map_table(pdpt, root, HERE + 12345) == ERROR_NONE);
	check(is_missing(map_table(table, root, HERE), 30));
	check(is_capability(map_table(pdpt, guest, ~0ul), 0));
	check(map_table(world_table(OBJECT_PDPT), root, HERE) == ERROR_DELETE_FIRST);
	check(map_table(directory, root, HERE) == ERROR_NONE);
	check(map_table(table, root, HERE + 0x1fffff) == ERROR_NONE);
	check(table->cap.map.page == HERE >> 12);
	check(map_table(world_table(OBJECT_PAGE_TABLE), root, HERE) == ERROR_DELETE_FIRST);
}

static void guest_table_errors(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct slot *fresh = world_table(OBJECT_EPT_PML4);
	struct slot *pdpt = world_table(OBJECT_EPT_PDPT);
	struct slot *directory = world_table(OBJECT_EPT_PD);
	struct slot *table = world_table(OBJECT_EPT_PT);

	check(is_capability(map_table(pdpt, world_space(OBJECT_PML4), 0), 1));
	check(is_invalid_root(map_table(pdpt, fresh, 0)));
	check(is_invalid_root(map_table(directory, fresh, 0)));
	check(is_capability(map_table(table, fresh, 0), 1));
	check(is_capability(map_table(table, robbed_space(OBJECT_EPT_PML4), 0), 1));
	check(is_missing(map_table(directory, root, 0), 39));
	check(map_table(pdpt, root, 0xfffful << 48) == ERROR_NONE);
	check(is_missing(map_table(table, root, 0), 30));
	check(map_table(directory, root, 0) == ERROR_NONE);
	check(map_table(table, root, 0) == ERROR_NONE);
	check(map_table(world_table(OBJECT_EPT_PDPT), root, 0) == ERROR_DELETE_FIRST);
}

static void table_unmapping(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct world_path path = world_map_path(root, HERE);
	struct slot *frame = world_frame(KIB4, 0x200000);
	struct slot *copy = world_copy(path.table);
	uint64_t *entries = cap_object(&path.table->cap);

	check(map(frame, root, HERE) == ERROR_NONE);
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_REVOKE_FIRST);
	world_delete(copy);
	check(*world_entry(root, HERE, 2) != 0);
	this_cpu()->space_root = physical_of(cap_object(&root->cap)).value;
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_NONE);
	check(*world_entry(root, HERE, 2) == 0 && entries[0] == 0);
	check(world.page_reloads == 1);
	check(!path.table->cap.map.mapped && path.table->cap.map.level == 1);
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_NONE);
	check(!world_copy(path.table));
	check(frame->cap.map.mapped &&
		world_call(frame_unmap, (struct call){.slot = frame}) == ERROR_NONE);
	check(map_table(path.table, root, HERE) == ERROR_NONE);
}

static void table_deletion(void) {
	struct slot *root = world_space(OBJECT_EPT_PML4);
	struct world_path path = world_map_path(root, HERE);

	world_delete(path.directory);
	check(*world_entry(root, HERE, 3) == 0);
	check(world.guest_flushes == 1);
	check(world.flushed_guest == physical_of(cap_object(&root->cap)).value);
	check(path.table->cap.map.mapped);
	world_delete(path.table);
	world_delete(path.pdpt);
	check(*world_entry(root, HERE, 4) == 0);
}

static void table_of_another(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct world_path path = world_map_path(root, HERE);
	struct slot *other = world_table(OBJECT_PAGE_DIRECTORY);

	world_delete(path.directory);
	check(map_table(other, root, HERE) == ERROR_NONE);
	world_delete(path.table);
	check(*world_entry(root, HERE, 3) != 0);
	check(*world_entry(root, HERE, 2) == 0);
}

static void frame_errors(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *guest = world_space(OBJECT_EPT_PML4);
	struct slot *small = world_frame(KIB4, 0x200000);
	struct slot *large = world_frame(MIB2, 0x400000);
	struct slot *huge = world_frame(GIB1, 0x40000000);
	struct slot *pdpt = world_table(OBJECT_PDPT);
	struct slot *directory = world_table(OBJECT_PAGE_DIRECTORY);
	struct slot *table = world_table(OBJECT_PAGE_TABLE);

	check(is_capability(map(small, world_table(OBJECT_PML4), ~0ul), 1));
	check(is_capability(map(small, guest, HERE), 1));
	check(is_argument(map(small, root, 0x7ffffffff000), 0));
	check(is_argument(map(small, root, ~0xffful), 0));
	check(is_argument(map(large, root, 0x7fffffe00000), 0));
	check(is_invalid_root(map(small, lost_space(OBJECT_PML4), 1)));
	check(is_capability(map(small, robbed_space(OBJECT_PML4), 1), 1));
	check(map(small, root, HERE + 8) == ERROR_ALIGNMENT);
	check(map(large, root, HERE + 0x1000) == ERROR_ALIGNMENT);
	check(is_missing(map(huge, root, HERE), 39));
	check(map_table(pdpt, root, HERE) == ERROR_NONE);
	check(is_missing(map(large, root, HERE), 30));
	check(map_table(directory, root, HERE) == ERROR_NONE);
	check(is_missing(map(small, root, HERE), 21));
	check(map(huge, root, HERE) == ERROR_DELETE_FIRST);
	check(map_table(table, root, HERE) == ERROR_NONE);
	check(map(large, root, HERE) == ERROR_DELETE_FIRST);
	check(map(large, root, HERE + 0x200000) == ERROR_NONE);
	check(map_table(world_table(OBJECT_PAGE_TABLE), root, HERE + 0x200000) ==
		ERROR_DELETE_FIRST);
	check(is_missing(map(small, root, HERE + 0x200000), 21));
	check(map(huge, root, HERE + 0x40000000) == ERROR_NONE);
	check(map(small, root, HERE) == ERROR_NONE);
}

static void frame_again(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *other = world_space(OBJECT_PML4);
	struct slot *guest = world_space(OBJECT_EPT_PML4);
	struct slot *frame = world_frame(KIB4, 0x200000);
	struct slot *in_guest = world_frame(KIB4, 0x300000);

	world_map_path(root, HERE);
	world_map_path(guest, HERE);
	check(map(frame, root, HERE) == ERROR_NONE);
	check(is_argument(map(frame, root, HERE + 0x1000), 0));
	check(is_argument(map(frame, root, HERE + 1), 0));
	check(is_capability(map(frame, other, HERE), 1));
	check(is_capability(map_guest(frame, guest, HERE), 0));
	check(map_guest(in_guest, guest, HERE) == ERROR_NONE);
	check(is_capability(map_guest(in_guest, guest, HERE), 0));
	check(is_capability(map(in_guest, root, HERE), 1));
	in_guest->cap.map.asid = root->cap.map.asid;
	check(map(in_guest, root, HERE) == ERROR_ILLEGAL_OPERATION);
	in_guest->cap.map.asid = guest->cap.map.asid;

	this_cpu()->space_root = physical_of(cap_object(&root->cap)).value;
	check(!world_call(frame_map, (struct call){frame, root, {HERE, RIGHT_READ, 2}}));
	check((*world_entry(root, HERE, 1) & 0xfff) == 0x15);
	check(world.page_flushes == 1 && world.flushed_page == HERE);
}

static void frame_rights(void) {
	static const struct {
		uint64_t cap : 4;
		uint8_t mask;
		uint8_t bits;
	} cases[] = {
		{RW, RW, 7},
		{RW, RIGHT_READ, 5},
		{RW, RIGHT_WRITE, 0},
		{RIGHT_READ, RW, 5},
		{RIGHT_WRITE, RW, 0},
		{0, RW, 0},
		{RIGHTS_ALL, RIGHTS_ALL, 7},
	};
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *frame = world_frame(KIB4, 0x200000);

	world_map_path(root, HERE);
	for (unsigned i = 0; i < array_count(cases); i++) {
		struct call call = {frame, root, {HERE, cases[i].mask}};

		frame->cap.rights = cases[i].cap;
		check(world_call(frame_map, call) == ERROR_NONE);
		check((*world_entry(root, HERE, 1) & 0xfff) == cases[i].bits);
	}
}

static void frame_replaced(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *first = world_frame(KIB4, 0x200000);
	struct slot *second = world_frame(KIB4, 0x201000);

	world_map_path(root, HERE);
	this_cpu()->space_root = physical_of(cap_object(&root->cap)).value;
	check(map(first, root, HERE) == ERROR_NONE);
	check(world.page_flushes == 0);
	check(map(second, root, HERE) == ERROR_NONE);
	check(world.page_flushes == 1);
	check(first->cap.map.mapped);
	check(world_call(frame_unmap, (struct call){.slot = first}) == ERROR_NONE);
	check(!first->cap.map.mapped &&
		paging_target(*world_entry(root, HERE, 1), 1).value == 0x201000);
	world_delete(second);
	check(*world_entry(root, HERE, 1) == 0);
	check(world.page_flushes == 2);
}

static void frame_copies(void) {
	struct slot *root = world_space(OBJECT_PML4);
	struct slot *frame = world_frame(KIB4, 0x200000);
	struct slot *copy;

	world_map_path(root, HERE);
	check(map(frame, root, HERE) == ERROR_NONE);
	copy = world_copy(frame);
	check(copy && !copy->cap.map.mapped);
	check(map(copy, root, HERE + 0x1000) == ERROR_NONE);
	world_delete(frame);
	check(*world_entry(root, HERE, 1) == 0);
	check(*world_entry(root, HERE + 0x1000, 1) != 0);
	check(world_call(frame_get_address, (struct call){.slot = copy}) == ERROR_NONE);
	check(world.invocation.result_length == 1 && payload() == 0x200000);
}

static void no_device_spaces(void) {
	struct slot *table = world_table(OBJECT_IO_PAGE_TABLE);
	struct slot *root = world_space(OBJECT_PML4);

	check(is_capability(
		world_call(io_table_map, (struct call){.slot = table, .cap = root}), 0));
	check(world_call(table_unmap, (struct call){.slot = table}) == ERROR_NONE);
	check(is_capability(
		world_call(io_frame_map, (struct call){.slot = world_frame(MIB2, 0), .cap = root}),
		0));
	check(!world_copy(table));
	world_delete(table);
}

static const struct test rows[] = {
	{"table.map.errors", "mapping a host table answers each error in order", table_errors},
	{"table.map.guest", "mapping an EPT table answers each error in order", guest_table_errors},
	{"table.unmap", "unmapping needs the only capability, clears the table and flushes",
		table_unmapping},
	{"table.delete", "the last capability takes the table out of its parent", table_deletion},
	{"table.stale", "a table never removes another one's entry", table_of_another},
	{"frame.map.errors", "mapping a frame answers each error in order", frame_errors},
	{"frame.map.again", "a mapped frame changes its rights in place and nowhere else",
		frame_again},
	{"frame.map.rights", "effective rights are those of capability and mask, write with read",
		frame_rights},
	{"frame.replace", "a page replaces one of its size; the old frame unmaps nothing",
		frame_replaced},
	{"frame.copy", "a copy is unmapped and each capability removes its own mapping",
		frame_copies},
	{"frame.map.io", "without a remapping unit every IOSpace operation says so",
		no_device_spaces},
};

const struct tests mapping_tests = {rows, array_count(rows)};
