// SPDX-License-Identifier: BSD-2-Clause
// Address spaces: roots, their ASIDs, and which one is loaded.
#include <kernel/space.h>

#include <base/bits.h>
#include <base/compiler.h>
#include <base/memory.h>
#include <base/panic.h>
#include <cpu/kernel_map.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <cpu/vmx.h>
#include <kernel/derive.h>
#include <kernel/mapping.h>
#include <kernel/object.h>

enum {
	ASID_MASK = ASID_POOLS * ASIDS_PER_POOL - 1,
};

// Pool by base. Written by asid_pool_install and asid_pool_remove only.
static struct asid_pool *asid_pools[ASID_POOLS];

// What a guest without valid space sees: nothing.
static const alignas(1 << TABLE_BITS) uint64_t empty_guest_root[PAGING_ENTRIES];

uint64_t space_word_of_asid(unsigned asid) {
	const struct asid_pool *pool = asid_pools[asid / ASIDS_PER_POOL];

	return likely(pool) ? pool->words[asid % ASIDS_PER_POOL] : 0;
}

static void space_switch(physical_t root) {
	struct cpu *cpu = this_cpu();

	if (cpu->space_root == root.value) return;
	cpu->space_root = root.value;
	cr3_write(root.value);
}

static bool space_is_loaded(const void *root) {
	return this_cpu()->space_root == physical_of(root).value;
}

uint64_t space_root_of(const struct cap *root) { return physical_of(cap_object(root)).value; }

uint64_t space_root_of_nobody(void) { return kernel_map_root_physical().value; }

physical_t space_guest_root(const struct thread *thread) {
	const struct slot *slot = &thread->slots[THREAD_GUEST_SPACE];

	return slot_is_empty(slot) ? physical_of_image(empty_guest_root)
				   : physical_of(cap_object(&slot->cap));
}

// The root loses its ASID: nobody can map in it any more, and whoever still runs in it must find it
// empty.
static void space_empty(struct cap named) {
	bool is_host = named.map.format == SPACE_HOST;
	void *root = space_named(named.word);

	memset(root, 0, (is_host ? PAGING_USER_ENTRIES : PAGING_ENTRIES) * sizeof(uint64_t));
	if (!is_host)
		vmx_invalidate_guest(physical_of(root));
	else if (space_is_loaded(root))
		cr3_write(physical_of(root).value);
}

static struct asid_pool **free_base(void) {
	for (unsigned i = 0; i < ASID_POOLS; i++)
		if (!asid_pools[i]) return &asid_pools[i];
	return NULL;
}

bool asid_pool_is_possible(void) { return free_base(); }

struct cap asid_pool_install(struct asid_pool *pool) {
	struct cap cap = cap_make(CAP_ASID_POOL, pool);
	struct asid_pool **base = free_base();

	*base = pool;
	cap.size_bits = ASID_POOL_BITS;
	cap.asid_base = (uint64_t)(base - asid_pools) * ASIDS_PER_POOL;
	return cap;
}

void asid_pool_remove(const struct cap *cap) {
	struct asid_pool *pool = cap_object(cap);

	asid_pools[cap->asid_base / ASIDS_PER_POOL] = NULL;
	for (unsigned i = 0; i < ASIDS_PER_POOL; i++)
		if (pool->words[i]) space_empty((struct cap){.word = pool->words[i]});
}

bool asid_pool_give(const struct cap *cap, struct cap *root) {
	struct asid_pool *pool = cap_object(cap);
	unsigned i = cap->asid_base == 0; // ASID 0 is ASID_NONE

	assert(asid_pools[cap->asid_base / ASIDS_PER_POOL] == pool);
	while (i < ASIDS_PER_POOL && pool->words[i])
		i++;
	if (i == ASIDS_PER_POOL) return false;
	root->map.asid = (cap->asid_base + i) & ASID_MASK;
	root->word |= physical_of(cap_object(root)).value & CAP_ADDRESS;
	pool->words[i] = root->word;
	return true;
}

void space_init_host(void *memory) {
	uint64_t *root = memory;

	memcpy(root + PAGING_USER_ENTRIES, kernel_map_root() + PAGING_USER_ENTRIES,
		(PAGING_ENTRIES - PAGING_USER_ENTRIES) * sizeof(*root));
}

enum error space_derive(const struct slot *slot, struct cap *) {
	return slot->cap.map.asid == ASID_NONE ? ERROR_ILLEGAL_OPERATION : ERROR_NONE;
}

void space_destroy(struct slot *slot, bool last) {
	const struct cap *cap = &slot->cap;
	unsigned asid = cap->map.asid;

	if (!last) return;
	if (space_word_of_asid(asid) == cap->word)
		asid_pools[asid / ASIDS_PER_POOL]->words[asid % ASIDS_PER_POOL] = 0;
	// The memory may become another root, whose translations must not mix with the old ones.
	if (cap->map.format == SPACE_GUEST)
		vmx_invalidate_guest(physical_of(cap_object(cap)));
	else if (space_is_loaded(cap_object(cap)))
		space_switch(kernel_map_root_physical());
}

enum error mapping_root_error(struct invocation *invocation, uint64_t named) {
	const struct lookup failure = {.failure = LOOKUP_INVALID_ROOT};

	return named ? error_capability(invocation, 1)
		     : error_lookup(invocation, LOOKUP_TARGET, &failure);
}

void space_flush_page(uint64_t word, uint64_t address) {
	if (space_is_loaded(space_named(word))) tlb_invalidate_page(address);
}

// Without PCIDs a write of CR3 drops all but the kernel's global translations (SDM 3A 4.10.4).
void space_flush(uint64_t word) {
	if (space_is_loaded(space_named(word))) cr3_write(space_physical(word).value);
}
