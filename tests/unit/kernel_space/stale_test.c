// SPDX-License-Identifier: BSD-2-Clause
// Random operations on three spaces against a processor that caches every translation and every
// inner entry it may: none that it still holds may differ from the tables. With PCIDs it keeps
// those of spaces that are not loaded, also of one that went and whose ASID another has now.
#include "test.h"
#include "world.h"

#include <cpu/mitigations.h>
#include <cpu/percpu.h>
#include <string.h>

enum {
	SPACES = 3, // two host spaces and a guest's
	PLACES = 8,
	FRAMES = 12,
	TABLES = 18,
	ROUNDS = 60000,
};

// Pages that share some of their tables and some not.
static const uint64_t places[PLACES] = {
	0, 0x1000, 0x200000, 0x201000, 0x40000000, 0x40001000, 0x8000000000, 0x7fffffffe000};

// What a processor remembers of one space: for each place the entry of each level, from 4 down,
// until the page. Bit n of known: it has the entry of level n.
struct cache {
	uint64_t entries[PLACES][PAGING_LEVELS + 1];
	unsigned known[PLACES];
};

struct model {
	struct slot *spaces[SPACES];
	struct slot *frames[FRAMES];
	struct slot *tables[TABLES];
	struct cache caches[SPACES];
	uint64_t pcids[SPACES];
	unsigned runs; // space of the current thread
	uint64_t random;
};

static struct model model;

static unsigned random_below(unsigned limit) {
	model.random ^= model.random << 13;
	model.random ^= model.random >> 7;
	model.random ^= model.random << 17;
	return (unsigned)(model.random >> 32) % limit;
}

static uint64_t root_of(unsigned space) {
	return physical_of(cap_object(&model.spaces[space]->cap)).value;
}

static bool is_host(unsigned space) { return model.spaces[space]->cap.map.format == SPACE_HOST; }

static bool is_isolated(void) { return this_cpu()->mitigations & MITIGATION_BIT(KPTI); }

static void forget_hosts(void) {
	for (unsigned i = 0; i < SPACES; i++) {
		if (is_host(i)) memset(&model.caches[i], 0, sizeof(model.caches[i]));
	}
}

static void forget_on_reload(uint64_t cr3) {
	if (!(cr3 & CR3_KEEP)) forget_hosts();
}

// Drops the page, and every inner entry of any address: both are the least an instruction does.
static void forget_page_of(struct cache *cache, uint64_t address) {
	for (unsigned j = 0; j < PLACES; j++) {
		unsigned leaf = cache->known[j] & -cache->known[j];
		unsigned level = leaf ? (unsigned)__builtin_ctz(leaf) : 0;
		bool is_leaf = leaf && paging_is_page(cache->entries[j][level], level);
		bool is_here = is_leaf &&
			address >> paging_shift(level) == places[j] >> paging_shift(level);

		cache->known[j] = is_leaf && !is_here ? leaf : 0;
	}
}

// INVLPG. An isolated kernel has a PCID of its own, or none is kept anyway.
static void forget_page(uint64_t address) {
	if (is_isolated()) return;
	for (unsigned i = 0; i < SPACES; i++) {
		if (is_host(i) && world_is_loaded(model.spaces[i]))
			forget_page_of(&model.caches[i], address);
	}
}

// INVPCID
static void forget_space(enum tlb_kind kind, uint64_t pcid, uint64_t address) {
	for (unsigned i = 0; i < SPACES; i++) {
		if (!is_host(i)) continue;
		if (kind != TLB_ALL_SPACES && pcid != model.pcids[i]) continue;
		if (kind == TLB_ADDRESS)
			forget_page_of(&model.caches[i], address);
		else
			memset(&model.caches[i], 0, sizeof(model.caches[i]));
	}
}

static void forget_guest(uint64_t root) {
	for (unsigned i = 0; i < SPACES; i++) {
		if (!is_host(i) && root_of(i) == root)
			memset(&model.caches[i], 0, sizeof(model.caches[i]));
	}
}

// The processor may use this space now.
static bool is_reachable(unsigned space) {
	if (!is_host(space)) return true;
	if (is_isolated()) return space == model.runs;
	return world_is_loaded(model.spaces[space]);
}

static void compare_and_fill(unsigned space) {
	struct cache *cache = &model.caches[space];

	for (unsigned j = 0; j < PLACES; j++) {
		for (unsigned level = PAGING_LEVELS; level >= 1; level--) {
			uint64_t *entry = world_entry(model.spaces[space], places[j], level);

			if (cache->known[j] & 1u << level)
				check(entry && *entry == cache->entries[j][level]);
			if (!entry || *entry == 0) continue;
			cache->entries[j][level] = *entry;
			cache->known[j] |= 1u << level;
		}
	}
}

static struct call random_map(struct slot *slot) {
	static const uint64_t rights[] = {RIGHTS_ALL, RIGHT_READ, 0};

	return (struct call){slot, model.spaces[random_below(SPACES)],
		{places[random_below(PLACES)], rights[random_below(3)], 6}};
}

static struct slot *new_table(unsigned i) {
	static const enum object_type types[] = {OBJECT_PDPT, OBJECT_PAGE_DIRECTORY,
		OBJECT_PAGE_TABLE, OBJECT_EPT_PDPT, OBJECT_EPT_PD, OBJECT_EPT_PT};

	return world_table(types[i % array_count(types)]);
}

// A deleted table's memory becomes another table, so dangling entries would show.
static void recycle_table(struct slot *slot) {
	struct cap old = slot->cap;
	void *memory = cap_object(&old);

	world_delete(slot);
	memset(memory, 0, 1 << TABLE_BITS);
	old.map.mapped = 0;
	old.map.asid = 0;
	old.map.page = 0;
	derive_insert_original(slot, old, NULL);
}

static void recycle_frame(struct slot *slot) {
	struct cap fresh = object_create(
		OBJECT_PAGE, cap_object(&slot->cap), slot->cap.size_bits, false);

	world_delete(slot);
	derive_insert_original(slot, fresh, NULL);
}

static void load_random(void) {
	static struct thread thread;

	model.runs = random_below(2);
	world_give_space(&thread, &model.spaces[model.runs]->cap);
	space_load(this_cpu(), thread.space_root);
}

// A host space goes, and another takes its memory and its ASID.
static void recycle_space(void) {
	unsigned i = random_below(2);
	struct slot *slot = model.spaces[i];
	void *memory = cap_object(&slot->cap);

	world_delete(slot);
	if (model.runs == i) model.runs = SPACES;
	memset(memory, 0, 1 << TABLE_BITS);
	derive_insert_original(slot, object_create(OBJECT_PML4, memory, TABLE_BITS, false), NULL);
	check(!world_call(asid_pool_assign, (struct call){.slot = &world.pool, .cap = slot}));
	check(slot->cap.map.asid == model.pcids[i]);
}

static void unmap_table(struct slot *table) {
	(void)world_call(table_unmap, (struct call){.slot = table});
}

static void step(void) {
	struct slot *frame = model.frames[random_below(FRAMES)];
	struct slot *table = model.tables[random_below(TABLES)];

	switch (random_below(256)) {
	case 0: random_below(8) ? unmap_table(table) : recycle_space(); break;
	case 1: recycle_table(table); break;
	case 2: recycle_frame(frame); break;
	case 3 ... 16: load_random(); break;
	case 17 ... 100: world_call(frame_unmap, (struct call){.slot = frame}); break;
	case 101 ... 180: world_call(frame_map, random_map(frame)); break;
	case 181 ... 220: world_call(frame_map_ept, random_map(frame)); break;
	default: world_call(table_map, random_map(table)); break;
	}
}

// No entry of any space leads to a frame whose capability is not mapped there.
static void entries_are_recorded(void) {
	for (unsigned i = 0; i < SPACES; i++) {
		for (unsigned j = 0; j < PLACES; j++) {
			uint64_t *entry = world_entry(model.spaces[i], places[j], 1);
			bool found = !entry || *entry == 0;
			// A page without access is not present and has its address inverted.
			uint64_t inverted = entry && !(*entry & 7) ? PAGING_ADDRESS : 0;

			for (unsigned k = 0; k < FRAMES; k++) {
				const struct cap *cap = &model.frames[k]->cap;

				found |= !found && cap->map.mapped &&
					cap->map.asid == model.spaces[i]->cap.map.asid &&
					physical_of(cap_object(cap)).value ==
						paging_target(*entry ^ inverted, 1).value;
			}
			check(found);
		}
	}
}

static void prepare(void) {
	memset(&model, 0, sizeof(model));
	model.random = 0x9e3779b97f4a7c15;
	model.spaces[0] = world_space(OBJECT_PML4);
	model.spaces[1] = world_space(OBJECT_PML4);
	model.spaces[2] = world_space(OBJECT_EPT_PML4);
	for (unsigned i = 0; i < SPACES; i++)
		model.pcids[i] = model.spaces[i]->cap.map.asid;
	for (unsigned i = 0; i < TABLES; i++)
		model.tables[i] = new_table(i);
	for (unsigned i = 0; i < FRAMES; i++)
		model.frames[i] = world_frame(i < 9 ? PAGE_BITS : LARGE_PAGE_BITS, (i + 8ul) << 21);
	world.on_reload = forget_on_reload;
	world.on_page_flush = forget_page;
	world.on_space_flush = forget_space;
	world.on_guest_flush = forget_guest;
}

static void random_operations(void) {
	prepare();
	for (unsigned i = 0; i < ROUNDS; i++) {
		step();
		if (is_isolated()) forget_on_reload(this_cpu()->kernel_cr3);
		for (unsigned j = 0; j < SPACES; j++) {
			if (is_reachable(j)) compare_and_fill(j);
		}
		entries_are_recorded();
	}
	check(world.guest_flushes > 100);
	world.on_reload = NULL;
	world.on_page_flush = NULL;
	world.on_space_flush = NULL;
	world.on_guest_flush = NULL;
}

static void random_operations_with_reload(void) {
	random_operations();
	check(world.page_flushes > 100 && world.page_reloads > 100);
}

static void random_operations_with_pcid(void) {
	world_start_pcid();
	random_operations();
	check(world.page_flushes > 100 && world.space_flushes > 100);
}

static void random_operations_isolated(void) {
	world_start_isolated();
	random_operations();
	check(world.page_reloads == 0);
}

static void random_operations_isolated_with_pcid(void) {
	world_start_pcid();
	random_operations_isolated();
	check(world.space_flushes > 100);
}

static const struct test rows[] = {
	{"space.stale", "no cached translation outlives a change of the tables",
		random_operations_with_reload},
	{"space.stale-pcid", "nor with PCIDs, where a switch forgets nothing",
		random_operations_with_pcid},
	{"space.stale-isolated", "nor where the kernel has tables of its own",
		random_operations_isolated},
	{"space.stale-isolated-pcid", "nor there with PCIDs", random_operations_isolated_with_pcid},
};

const struct tests stale_tests = {rows, array_count(rows)};
