// SPDX-License-Identifier: BSD-2-Clause
// ASIDs and their pools, which space is loaded, and I/O port ranges.
#include "test.h"
#include "world.h"

#include <cpu/mitigations.h>
#include <cpu/kernel_map.h>
#include <cpu/percpu.h>
#include <string.h>

static struct slot *untyped_page(void) {
	struct cap cap = cap_make(CAP_UNTYPED, world_allocate(1));
	struct slot *slot = world_empty();

	cap.size_bits = PAGE_BITS;
	derive_insert_original(slot, cap, NULL);
	return slot;
}

static enum error make_pool(struct slot *untyped, struct slot *destination) {
	world.empty_slot = destination;
	return world_call(asid_control_make_pool, (struct call){untyped, untyped, {7, 64}});
}

static enum error assign(struct slot *pool, struct slot *root) {
	return world_call(asid_pool_assign, (struct call){.slot = pool, .cap = root});
}

static void assigning(void) {
	struct slot *root = world_table(OBJECT_PML4);
	struct slot *guest = world_table(OBJECT_EPT_PML4);
	struct slot *third = world_table(OBJECT_PML4);

	check(!world_copy(root));
	check(assign(&world.pool, root) == ERROR_NONE && root->cap.map.asid == 1);
	check(assign(&world.pool, guest) == ERROR_NONE && guest->cap.map.asid == 2);
	check(root->cap.map.page == physical_of(cap_object(&root->cap)).value >> PAGE_BITS);
	check(assign(&world.pool, root) == ERROR_INVALID_CAPABILITY);
	check(world.invocation.results[0] == 1);
	check(assign(&world.pool, world_table(OBJECT_PDPT)) == ERROR_INVALID_CAPABILITY);
	check(space_word_of_asid(1) == root->cap.word);
	check(space_word_of_asid(2) == guest->cap.word);
	check(space_word_of_asid(3) == 0);
	check(world_copy(root));
	world_delete(root);
	check(space_word_of_asid(1) != 0);
	world_delete(guest);
	check(world.guest_flushes == 1 && space_word_of_asid(2) == 0);
	check(assign(&world.pool, third) == ERROR_NONE && third->cap.map.asid == 2);
}

static void kernel_half(void) {
	struct slot *root = world_table(OBJECT_PML4);
	const uint64_t *entries = cap_object(&root->cap);

	for (unsigned i = 0; i < PAGING_ENTRIES; i++)
		check(entries[i] == (i < PAGING_USER_ENTRIES ? 0 : kernel_map_root()[i]));
}

static void pool_full(void) {
	struct asid_pool *pool = cap_object(&world.pool.cap);
	uint64_t other = world_space(OBJECT_PML4)->cap.word;

	for (unsigned i = 2; i < ASIDS_PER_POOL - 1; i++)
		pool->words[i] = other;
	check(assign(&world.pool, world_table(OBJECT_PML4)) == ERROR_NONE);
	check(assign(&world.pool, world_table(OBJECT_PML4)) == ERROR_DELETE_FIRST);
	check(pool->words[0] == 0);
}

static void making_pools(void) {
	struct slot *untyped = untyped_page();
	struct slot *wrong = untyped_page();
	struct slot *pools[ASID_POOLS];
	uint8_t *dirt = cap_object(&untyped->cap);

	dirt[99] = 1;
	wrong->cap.device = 1;
	check(make_pool(wrong, NULL) == ERROR_INVALID_CAPABILITY);
	wrong->cap.device = 0;
	wrong->cap.size_bits = PAGE_BITS + 1;
	check(make_pool(wrong, NULL) == ERROR_INVALID_CAPABILITY);
	check(make_pool(&world.pool, NULL) == ERROR_INVALID_CAPABILITY);
	check(make_pool(untyped, NULL) == ERROR_DELETE_FIRST);
	for (unsigned i = 1; i < ASID_POOLS; i++) {
		struct slot *memory = i == 1 ? untyped : untyped_page();

		pools[i] = world_empty();
		check(make_pool(memory, pools[i]) == ERROR_NONE);
		check(pools[i]->cap.type == CAP_ASID_POOL);
		check(pools[i]->cap.asid_base == i * ASIDS_PER_POOL);
		check(memory->cap.untyped.watermark == 256 && derive_has_child(memory));
	}
	check(dirt[99] == 0);
	check(make_pool(untyped, world_empty()) == ERROR_DELETE_FIRST);
	world_delete(pools[3]);
	check(make_pool(pools[1], NULL) == ERROR_INVALID_CAPABILITY);
	check(make_pool(untyped, NULL) == ERROR_REVOKE_FIRST);
	pools[3] = world_empty();
	check(make_pool(untyped_page(), pools[3]) == ERROR_NONE);
	check(pools[3]->cap.asid_base == 3 * ASIDS_PER_POOL);
	check(assign(pools[3], world_table(OBJECT_PML4)) == ERROR_NONE);
}

// Its first entries lead nowhere, and what the kernel has behind them is untouched.
static bool is_empty(const struct slot *root, unsigned entries) {
	const uint64_t *table = cap_object(&root->cap);

	for (unsigned i = 0; i < entries; i++)
		if (table[i] != 0) return false;
	return entries == PAGING_ENTRIES || table[entries] == kernel_map_root()[entries];
}

static void pool_goes(void) {
	static struct thread thread;
	struct slot *pool = world_empty();
	struct slot *root = world_table(OBJECT_PML4);
	struct slot *guest = world_table(OBJECT_EPT_PML4);
	struct slot *frame = world_frame(PAGE_BITS, 0x200000);
	struct slot *other;

	check(make_pool(untyped_page(), pool) == ERROR_NONE);
	check(assign(pool, root) == ERROR_NONE && assign(pool, guest) == ERROR_NONE);
	world_map_path(root, 0);
	world_map_path(guest, 0);
	check(!world_call(frame_map, (struct call){frame, root, {0, RIGHTS_ALL}}));
	memset(&thread, 0, sizeof(thread));
	world_give_space(&thread, &root->cap);
	thread.slots[THREAD_GUEST_SPACE].cap = guest->cap;
	space_load(this_cpu(), thread.space_root);
	check(world_is_loaded(root));
	check(space_guest_root(&thread.slots[THREAD_GUEST_SPACE].cap).value ==
		physical_of(cap_object(&guest->cap)).value);

	world_delete(pool);
	check(is_empty(root, PAGING_USER_ENTRIES) && is_empty(guest, PAGING_ENTRIES));
	check(world.page_reloads == 2 && world.guest_flushes == 1);
	check(world_call(frame_unmap, (struct call){.slot = frame}) == ERROR_NONE);

	// The base and the ASID come back for another root: the old one stays out.
	other = world_table(OBJECT_PML4);
	check(make_pool(untyped_page(), pool) == ERROR_NONE);
	check(assign(pool, other) == ERROR_NONE && other->cap.map.asid == root->cap.map.asid);
	check(world_call(frame_map, (struct call){frame, root, {0, RIGHTS_ALL}}) ==
		ERROR_INVALID_CAPABILITY);
	world_delete(root);
	check(this_cpu()->space_root == kernel_map_root_physical().value);
	check(space_word_of_asid(other->cap.map.asid) == other->cap.word);
}

// What CR3 takes beside the address.
static uint64_t pcid_of(const struct slot *root) {
	struct thread thread;

	world_give_space(&thread, &root->cap);
	return thread.program_root & ~physical_of(cap_object(&root->cap)).value;
}

// Four roots in turn have one ASID; the pools of the first three go before them.
static void lost_pcid(void) {
	struct slot *pool = world_empty();
	struct slot *roots[4];

	world_start_pcid();
	for (unsigned i = 0; i < array_count(roots); i++) {
		check(make_pool(untyped_page(), pool) == ERROR_NONE);
		roots[i] = world_table(OBJECT_PML4);
		check(assign(pool, roots[i]) == ERROR_NONE);
		check(roots[i]->cap.map.asid == roots[0]->cap.map.asid);
		if (i == 2) world_delete(roots[1]); // it had no PCID to give back
		if (i < 3) world_delete(pool);
	}
	check(pcid_of(roots[0]) == (roots[0]->cap.map.asid | CR3_KEEP));
	check(pcid_of(roots[2]) == 0 && pcid_of(roots[3]) == 0);
	world_delete(roots[0]);
	check(pcid_of(roots[3]) == 0);
	world_delete(roots[3]);
	roots[3] = world_table(OBJECT_PML4);
	check(assign(pool, roots[3]) == ERROR_NONE);
	check(pcid_of(roots[3]) == (roots[3]->cap.map.asid | CR3_KEEP));
}

static void flush_without_pcid(void) {
	static struct thread thread;
	struct slot *pool = world_empty();
	struct slot *old = world_table(OBJECT_PML4);
	struct slot *root = world_table(OBJECT_PML4);
	struct world_path path;

	world_start_pcid();
	check(make_pool(untyped_page(), pool) == ERROR_NONE && assign(pool, old) == ERROR_NONE);
	world_delete(pool);
	check(make_pool(untyped_page(), pool) == ERROR_NONE && assign(pool, root) == ERROR_NONE);
	path = world_map_path(root, 0);
	world_give_space(&thread, &root->cap);
	space_load(this_cpu(), thread.space_root);
	world.flushed_pcid = 1;
	check(world_call(table_unmap, (struct call){.slot = path.table}) == ERROR_NONE);
	check(world.flushed_kind == TLB_SPACE && world.flushed_pcid == 0);
}

static void loading(void) {
	static struct thread thread, stranger;
	struct slot *root = world_space(OBJECT_PML4);

	world_give_space(&thread, NULL);
	world_give_space(&stranger, NULL);
	space_load(this_cpu(), thread.space_root);
	check(world.page_reloads == 0);
	world_give_space(&thread, &root->cap);
	space_load(this_cpu(), thread.space_root);
	space_load(this_cpu(), thread.space_root);
	check(world.page_reloads == 1);
	check(world_is_loaded(root));
	space_load(this_cpu(), stranger.space_root);
	check(this_cpu()->space_root == kernel_map_root_physical().value);
	space_load(this_cpu(), thread.space_root);
	world_delete(root);
	check(this_cpu()->space_root == kernel_map_root_physical().value);
	check(world.page_reloads == 4);
}

// What a switch relies on: a thread's space_root is all there is to load.
static void loading_with_pcid(void) {
	static struct thread thread;
	struct slot *first = world_space(OBJECT_PML4);
	struct slot *second = world_space(OBJECT_PML4);
	struct slot *pool = world_empty();

	world_start_pcid();
	world_give_space(&thread, &first->cap);
	check(thread.space_root == (physical_of(cap_object(&first->cap)).value | 1 | CR3_KEEP));
	space_load(this_cpu(), thread.space_root);
	check(world_is_loaded(first) && world.space_flushes == 0);
	world_delete(second);
	check(world.space_flushes == 1 && world.flushed_kind == TLB_SPACE);
	check(world.flushed_pcid == 2);
	world_delete(first);
	check(world.space_flushes == 2 && world.flushed_pcid == 1 && !world_is_loaded(first));
	check(this_cpu()->space_root == kernel_map_root_physical().value);
	first = world_table(OBJECT_PML4);
	check(make_pool(untyped_page(), pool) == ERROR_NONE);
	check(assign(pool, first) == ERROR_NONE);
	world_delete(pool);
	check(world.space_flushes == 3 && world.flushed_kind == TLB_SPACE);
	check(world.flushed_pcid == first->cap.map.asid);
}

// Nothing is loaded as long as the kernel runs.
static void loading_isolated(void) {
	static struct thread thread;
	struct slot *root = world_space(OBJECT_PML4);

	world_start_pcid();
	world_start_isolated();
	world_give_space(&thread, &root->cap);
	check(thread.space_root == this_cpu()->kernel_cr3);
	check(thread.program_root == (physical_of(cap_object(&root->cap)).value | 1 | CR3_KEEP));
	space_load(this_cpu(), thread.space_root);
	world_delete(root);
	check(world.page_reloads == 0 && world.space_flushes == 1);
}

static void boot_space(void) {
	struct slot *pdpt = world_table(OBJECT_PDPT);
	struct slot *directory = world_table(OBJECT_PAGE_DIRECTORY);
	struct slot *table = world_table(OBJECT_PAGE_TABLE);
	struct slot *frame = world_frame(PAGE_BITS, 0x234000);
	struct cap root;
	struct cap pool;

	world_delete(&world.pool);
	pool = asid_pool_install(world_allocate(1));
	root = object_create(OBJECT_PML4, world_allocate(1), TABLE_BITS, false);
	check(asid_pool_give(&pool, &root));
	check(pool.asid_base == 0 && pool.size_bits == ASID_POOL_BITS);
	check(space_is_assigned(&root, SPACE_HOST) && root.map.asid == 1);
	mapping_attach(&pdpt->cap, &root, 0);
	mapping_attach(&directory->cap, &root, 0);
	mapping_attach(&table->cap, &root, 0x400000);
	mapping_attach(&frame->cap, &root, 0x401000);
	check(*paging_walk(cap_object(&root), 0x401000, 1).entry == (0x234000 | 7));
	check(table->cap.map.mapped && table->cap.map.page == 0x400);
	check(frame->cap.map.mapped && frame->cap.map.page == 0x401 && frame->cap.map.asid == 1);
	derive_insert_original(&world.pool, pool, NULL);
}

static struct slot *port_control(void) {
	struct slot *slot = world_empty();

	derive_insert_original(slot, cap_make(CAP_PORT_CONTROL, NULL), NULL);
	return slot;
}

static struct slot *issue(struct slot *control, uint64_t first, uint64_t last) {
	struct slot *slot = world_empty();

	world.empty_slot = slot;
	check(!world_call(
		port_control_issue, (struct call){control, control, {first, last, 7, 64}}));
	return slot;
}

static enum error issue_error(struct slot *control, uint64_t first, uint64_t last) {
	world.empty_slot = NULL;
	return world_call(
		port_control_issue, (struct call){control, control, {first, last, 7, 0x40}});
}

static void issuing(void) {
	struct slot *control = port_control();
	struct slot *serial = issue(control, 0x103f8, 0x3ff);
	struct slot *copy = world_copy(serial);
	struct slot *last = issue(control, 0xffff, 0xffff);

	check(serial->cap.port.first == 0x3f8 && serial->cap.port.last == 0x3ff);
	check(issue_error(control, 0x400, 0x3ff) == ERROR_INVALID_ARGUMENT);
	check(world.invocation.results[0] == 1);
	check(issue_error(control, 0, 0xffff) == ERROR_REVOKE_FIRST);
	check(issue_error(control, 0x3ff, 0x400) == ERROR_REVOKE_FIRST);
	check(issue_error(control, 0x400, 0x500) == ERROR_DELETE_FIRST);
	check(derive_has_child(control) && derive_is_parent(control, last));
	world_delete(serial);
	check(world.withdrawals == 1); // each capability may be enabled in a VCPU of its own
	check(issue_error(control, 0x3f8, 0x3f8) == ERROR_REVOKE_FIRST);
	world_delete(copy);
	check(world.withdrawals == 2);
	check(world.withdrawn_first == 0x3f8 && world.withdrawn_last == 0x3ff);
	issue(control, 0x3f0, 0x3fb);
	issue(control, 0x3fc, 0x3fc);
}

static void port_access(void) {
	struct slot *range = issue(port_control(), 0xfffc, 0xffff);

	check(!world_call(port_range_out8, (struct call){range, NULL, {0x1ffff, 0x12345}}));
	check(world.port == 0xffff && world.port_value == 0x45);
	check(!world_call(port_range_out16, (struct call){range, NULL, {0xfffe, 0x12345}}));
	check(world.port_value == 0x2345);
	check(!world_call(port_range_out32, (struct call){range, NULL, {0xfffc, ~0ul}}));
	check(world.port_value == 0xffffffff);
	check(!world_call(port_range_in8, (struct call){range, NULL, {0xfffd}}));
	check(world.port == 0xfffd && world.invocation.results[0] == 0xff);
	check(!world_call(port_range_in16, (struct call){range, NULL, {0xfffe}}));
	check(world.invocation.results[0] == 0xffff);
	check(!world_call(port_range_in32, (struct call){range, NULL, {0xfffc}}));
	check(world.invocation.results[0] == 0xffffffff);

	world.port = 1;
	check(world_call(port_range_in8, (struct call){range, NULL, {0xfffb}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world_call(port_range_in16, (struct call){range, NULL, {0xffff}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world_call(port_range_in32, (struct call){range, NULL, {0xfffd}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world_call(port_range_out8, (struct call){range, NULL, {0}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world_call(port_range_out16, (struct call){range, NULL, {0xfffb}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world_call(port_range_out32, (struct call){range, NULL, {0xfffe}}) ==
		ERROR_ILLEGAL_OPERATION);
	check(world.port == 1);
}

static const struct test asid_rows[] = {
	{"asid.assign", "a root gets the lowest free ASID once, and kinds never mix", assigning},
	{"asid.kernel_half", "a new host root has the kernel's half and an empty user half",
		kernel_half},
	{"asid.full", "a full pool says DeleteFirst and ASID 0 is never given", pool_full},
	{"asid.pool.make", "pools take a clean untyped and the lowest free base", making_pools},
	{"asid.pool.delete", "spaces of a deleted pool map nothing, even if the ASID returns",
		pool_goes},
	{"space.load", "CR3 is written on changes only and never keeps a dead root", loading},
	{"space.load-pcid",
		"with PCIDs a switch flushes nothing, the end of a space everything of it",
		loading_with_pcid},
	{"asid.lost-pcid", "the PCID of a root that outlived its pool is not shared", lost_pcid},
	{"asid.no-pcid", "a space without a PCID of its own is flushed where it is",
		flush_without_pcid},
	{"space.load-isolated", "an isolated kernel stays on tables of its own", loading_isolated},
	{"space.boot", "the initial task's space is ASID 1 with its mappings recorded", boot_space},
};

static const struct test port_rows[] = {
	{"port.issue", "a port is in one range at a time and free after its last capability",
		issuing},
	{"port.access", "an access lies wholly inside its range", port_access},
};

const struct tests asid_tests = {asid_rows, array_count(asid_rows)};
const struct tests port_tests = {port_rows, array_count(port_rows)};
