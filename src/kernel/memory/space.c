// SPDX-License-Identifier: BSD-2-Clause
// Address spaces: roots and their ASIDs. There are as many ASIDs as PCIDs, so an ASID is the PCID
// of its host space.
#include <memory/space.h>

#include <kernel.h>
#include <cap/invocation.h>
#include <cpu/lock.h>
#include <cpu/mitigations.h>

// What a guest without valid space sees: nothing.
static const alignas(1 << TABLE_BITS) uint64_t empty_guest_root[PAGING_ENTRIES];

static struct asid_pool **pool_of(unsigned asid) {
	return &this_kernel()->asids.pools[asid / ASIDS_PER_POOL];
}

uint64_t space_word_of_asid(unsigned asid) {
	const struct asid_pool *pool = *pool_of(asid);

	return likely(pool) ? pool->words[asid % ASIDS_PER_POOL] : 0;
}

uint64_t space_program_root(const struct cap *cap) {
	if (!cap) return kernel_map_root_physical().value;
	return pcid_program_root(
		physical_of(cap_object(cap)), cap->map.mapped ? 0 : (unsigned)cap->map.asid);
}

physical_t space_guest_root(const struct cap *cap) {
	return cap->type == CAP_NULL ? physical_of_image(empty_guest_root)
				     : physical_of(cap_object(cap));
}

void space_used_on(const struct cap *cap, const struct cpu *cpu) {
	if (cap->type == CAP_SPACE) this_kernel()->asids.cores[cap->map.asid] |= BIT(cpu->number);
}

struct change {
	const struct paging_format *paging;
	physical_t root;
	unsigned asid;
	uint64_t address;
};

static void forget(void *argument) {
	const struct change *change = argument;

	change->paging->invalidate(change->root, change->asid, change->address);
}

// A core that has loaded another space need not be interrupted: it forgets before it loads a space
// again. Of guests' spaces, and those of isolated programs, it is not known what is loaded.
[[gnu::noinline]] static void elsewhere(struct change *change) {
	const struct cpu *own = this_cpu();
	uint64_t cores = this_kernel()->asids.cores[change->asid] & ~BIT(own->number);
	uint64_t space = change->root.value | change->asid, left = cores;
	bool may_be_late = change->paging == space_paging(SPACE_HOST) &&
		!(own->mitigations & MITIGATION_BIT(KPTI));

	for (; may_be_late && left; left &= left - 1) {
		struct cpu *cpu = own->platform->cores[bits_lowest(left)];

		if (pcid_is_loaded(cpu, change->root) ||
			(cpu->late_space && cpu->late_space != space))
			continue;
		__atomic_store_n(&cpu->late_space, space, __ATOMIC_RELAXED);
		cpu->lock.rest |= HOLD_LATE;
		cores &= ~BIT(cpu->number);
	}
	cores_call(cores, forget, change);
}

void space_forget(
	const struct paging_format *paging, physical_t root, unsigned asid, uint64_t address) {
	paging->invalidate(root, asid, address);
	if (unlikely(this_cpu()->has_peers))
		elsewhere(&(struct change){paging, root, asid, address});
}

// The lowest base without a pool; PCIDS if each has one.
static unsigned free_base(void) {
	unsigned base = 0;

	while (base < PCIDS && *pool_of(base))
		base += ASIDS_PER_POOL;
	return base;
}

struct cap asid_pool_install(struct asid_pool *pool) {
	struct cap cap = cap_make(CAP_ASID_POOL, pool);

	cap.size_bits = ASID_POOL_BITS;
	cap.asid_base = free_base();
	*pool_of((unsigned)cap.asid_base) = pool;
	return cap;
}

bool asid_pool_give(const struct cap *cap, struct cap *root) {
	struct asid_pool *pool = cap_object(cap);
	unsigned base = (unsigned)cap->asid_base;
	unsigned i = base == 0; // ASID 0 is ASID_NONE

	assert(*pool_of(base) == pool);
	while (i < ASIDS_PER_POOL && (pool->words[i] || base + i == pcid_of_kernel()))
		i++;
	if (i == ASIDS_PER_POOL) return false;
	root->map.asid = (base + i) % PCIDS;
	root->map.mapped = this_kernel()->asids.pcid_is_lost[base + i];
	if (!root->map.mapped) this_kernel()->asids.cores[base + i] = 0;
	root->word |= physical_of(cap_object(root)).value & CAP_ADDRESS;
	pool->words[i] = root->word;
	return true;
}

enum error asid_control_make_pool(struct invocation *invocation) {
	struct slot *untyped = invocation->caps[0], *destination;
	enum error error;

	if (free_base() == PCIDS) return ERROR_DELETE_FIRST;
	if (untyped->cap.type != CAP_UNTYPED || untyped->cap.size_bits != ASID_POOL_BITS ||
		untyped->cap.device)
		return error_capability(invocation, 1);
	if (derive_has_child(untyped)) return ERROR_REVOKE_FIRST;
	error = invocation_empty_slot(invocation, &invocation->caps[1]->cap, 0, &destination);
	if (error) return error;

	memory_clear(cap_object(&untyped->cap), 1 << ASID_POOL_BITS);
	untyped->cap.word = 1 << (ASID_POOL_BITS - UNTYPED_MIN_BITS);
	derive_insert_original(destination, asid_pool_install(cap_object(&untyped->cap)), untyped);
	return ERROR_NONE;
}

// A pool stays at its base as long as it has a capability, so the ABI's errors for a pool that is
// gone cannot arise.
enum error asid_pool_assign(struct invocation *invocation) {
	struct cap *root = &invocation->caps[0]->cap;

	if (root->type != CAP_SPACE || root->map.asid != 0) return error_capability(invocation, 1);
	return asid_pool_give(&invocation->slot->cap, root) ? ERROR_NONE : ERROR_DELETE_FIRST;
}

// A root loses its ASID in each step, and in the last one the pool goes. No program can map in such
// a root any more, and a thread that still runs in it must find it empty.
void asid_pool_destroy(struct slot *slot, bool last) {
	struct asid_pool *pool = cap_object(&slot->cap);
	const struct paging_format *paging;
	struct cap named = {};
	unsigned i = 0;

	if (!last) return;
	while (i < ASIDS_PER_POOL - 1 && !pool->words[i])
		i++;
	named.word = pool->words[i];
	if (!named.word) {
		*pool_of((unsigned)slot->cap.asid_base) = NULL;
		return;
	}
	slot->next |= SLOT_UNFINISHED;
	pool->words[i] = 0;
	paging = space_paging(named.map.format);
	memory_clear(space_named(named.word), paging->root_entries * sizeof(uint64_t));
	space_forget(paging, space_physical(named.word), named.map.asid, EVERY_PAGE);
	if (!named.map.mapped) this_kernel()->asids.pcid_is_lost[named.map.asid] = true;
}

void space_init_host(void *memory) {
	uint64_t *root = memory;

	memcpy(root + PAGING_USER_ENTRIES, kernel_map_root() + PAGING_USER_ENTRIES,
		(PAGING_ENTRIES - PAGING_USER_ENTRIES) * sizeof(*root));
}

// A root without ASID is not copied, nor is a table that is mapped nowhere.
enum error space_derive(const struct slot *slot, struct cap *) {
	const struct cap *cap = &slot->cap;

	return cap->map.asid == ASID_NONE && !cap->map.mapped ? ERROR_ILLEGAL_OPERATION
							      : ERROR_NONE;
}

void space_destroy(struct slot *slot, bool last) {
	const struct cap *cap = &slot->cap;
	physical_t root = physical_of(cap_object(cap));
	unsigned asid = cap->map.asid;

	if (!last) return;
	if (space_word_of_asid(asid) == cap->word)
		(*pool_of(asid))->words[asid % ASIDS_PER_POOL] = 0;
	else if (!cap->map.mapped)
		this_kernel()->asids.pcid_is_lost[asid] = false;
	// The memory may become another root, whose translations must not mix with the old ones.
	space_forget(space_paging(cap->map.format), root, asid, NO_SPACE);
}
