// SPDX-License-Identifier: BSD-2-Clause
// A format of page tables is a row: one that the kernel has never seen works by all operations, and
// what concerns one format's spaces reaches its row only.
#include "calls.h"
#include "rows.h"
#include "test.h"

#include <cpu/mitigations.h>
#include <cpu/percpu.h>

#define LIMIT (1ul << 40) // of nested_format

// The row was asked once more for the page, or for all of the space, by root and ASID.
static bool was_invalidated(const struct invalidations *now, struct invalidations *before,
	struct cap root, bool is_page, uint64_t address) {
	bool is_right = now->pages == before->pages + is_page &&
		now->spaces == before->spaces + !is_page && now->asid == root.map.asid &&
		now->root == physical_of(cap_object(&root)).value &&
		(!is_page || now->address == address);

	*before = *now;
	return is_right;
}

static bool host_and_ept_are_untouched(void) {
	return !world.page_reloads && !world.page_flushes && !world.space_flushes &&
		!world.guest_flushes;
}

static struct slot *nested_space(void) {
	world_guest_format = nested_format;
	nested_invalidations = (struct invalidations){};
	return world_space(OBJECT_EPT_PML4);
}

static void nested_errors(void) {
	struct slot *root = nested_space();
	struct slot *fresh = world_table(OBJECT_EPT_PML4);
	struct slot *frame = world_frame(KIB4, 0x200000);
	struct slot *pdpt = world_table(OBJECT_EPT_PDPT);

	check(is_capability(map_table(pdpt, fresh, 0), 1)); // it has no level that would wait
	check(is_argument(map_table(pdpt, root, LIMIT), 0));
	check(is_argument(map_guest(frame, root, LIMIT), 0));
	check(is_missing(map_guest(frame, root, LIMIT - 0x1000), 39));
	world_map_path(root, LIMIT - 0x1000);
	check(map_guest(frame, root, LIMIT - 0x1000) == ERROR_NONE);
	check(host_and_ept_are_untouched());
}

static uint64_t nested_entry(
	struct slot *frame, struct slot *root, uint64_t address, unsigned rights, unsigned type) {
	struct call call = {frame, root, {address, rights, type}};
	uint64_t entry;

	check(world_call(frame_map_ept, call) == ERROR_NONE);
	entry = *world_entry(root, address, frame->cap.size_bits / 8u);
	check(world_call(frame_unmap, (struct call){.slot = frame}) == ERROR_NONE);
	check(*world_entry(root, address, frame->cap.size_bits / 8u) == 0);
	return entry;
}

static void nested_entries(void) {
	struct slot *root = nested_space();
	struct slot *small = world_frame(KIB4, 0x200000);
	struct slot *large = world_frame(MIB2, 0x400000);
	struct slot *huge = world_frame(GIB1, 0x40000000);
	const uint64_t here = 0x200000, next = 0x400000, far = 0x40000000;

	world_map_path(root, here);
	check(*world_entry(root, here, 4) << 52 == 7ul << 52);
	check(nested_entry(small, root, here, RW, 6) == 0x200007);
	check(nested_entry(small, root, here, RIGHT_READ, 6) == 0x200005);
	check((nested_entry(small, root, here, RIGHT_WRITE, 6) & 7) == 0);
	check(nested_entry(small, root, here, RW, 0) == 0x20001f);
	check(nested_entry(small, root, here, RW, 1) == 0x200087);
	check(nested_entry(small, root, here, RW, 4) == 0x20000f);
	check(nested_entry(large, root, next, RW, 6) == 0x400087);
	check(nested_entry(large, root, next, RW, 1) == 0x401087);
	check(nested_entry(huge, root, far, RW, 6) == 0x40000087);
	small->cap.device = 1;
	check(nested_entry(small, root, here, RW, 6) == 0x20001f);
	check(nested_entry(small, root, here, RW, 1) == 0x200087);
	// A large frame is one page: the CPUs that have this format need it no other way.
	this_cpu()->mitigations = MITIGATION_BIT(ITLB_MULTIHIT);
	check(nested_entry(large, root, next, RW, 6) == 0x400087);
	check(map_guest(large, root, here) == ERROR_DELETE_FIRST);
	check(host_and_ept_are_untouched());
}

static void nested_invalidation(void) {
	struct slot *root = nested_space();
	struct slot *other = world_space(OBJECT_EPT_PML4);
	const struct cap others = other->cap;
	struct slot *frame = world_frame(KIB4, 0x200000);
	struct world_path path = world_map_path(root, 0);
	struct invalidations seen = nested_invalidations;

	check(seen.pages == 0 && seen.spaces == 0);
	check(map_guest(frame, root, 0x3000) == ERROR_NONE);
	check(nested_invalidations.pages == 0 && nested_invalidations.spaces == 0);
	check(world_call(frame_unmap, (struct call){.slot = frame}) == ERROR_NONE);
	check(was_invalidated(&nested_invalidations, &seen, root->cap, true, 0x3000));
	check(map_guest(frame, root, 0x5000) == ERROR_NONE);
	world_delete(frame);
	check(was_invalidated(&nested_invalidations, &seen, root->cap, true, 0x5000));
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_NONE);
	check(was_invalidated(&nested_invalidations, &seen, root->cap, false, 0));
	world_delete(path.directory);
	check(was_invalidated(&nested_invalidations, &seen, root->cap, false, 0));
	world_delete(other);
	check(was_invalidated(&nested_invalidations, &seen, others, false, 0));
	world_delete(&world.pool);
	check(was_invalidated(&nested_invalidations, &seen, root->cap, false, 0));
	for (unsigned i = 0; i < PAGING_ENTRIES; i++)
		check(((uint64_t *)cap_object(&root->cap))[i] == 0);
	check(host_and_ept_are_untouched());
}

static const struct test rows[] = {
	{"rows.nested.errors", "a row's limit and its levels without ASID decide what Map answers",
		nested_errors},
	{"rows.nested.entries", "a new row's bits stand in the entries of frames and tables",
		nested_entries},
	{"rows.nested.invalidate", "changes of a space go to its own row, by root and ASID",
		nested_invalidation},
};

const struct tests row_tests = {rows, array_count(rows)};
