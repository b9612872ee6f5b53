// SPDX-License-Identifier: BSD-2-Clause
// What spaces are made of: tables, the inner nodes of page tables of every format, and frames,
// memory that can be mapped. Each capability knows the one place where it is mapped. A table is
// empty whenever it is put into a space (unmapping clears it), so entries never come back whose
// frames have gone.
#include <memory/mapping.h>

#include <cap/invocation.h>
#include <memory/space.h>

// Places

// What a root says whose ASID is named by another (its word), or names nothing (0): FailedLookup or
// InvalidCapability 1.
[[gnu::cold]] static enum error root_error(struct invocation *invocation, uint64_t named) {
	const struct lookup failure = {{LOOKUP_INVALID_ROOT}};

	return named ? error_capability(invocation, 1)
		     : error_lookup(invocation, LOOKUP_TARGET, &failure);
}

// The entry for address in the table of this level, after the last checks of every Map: the ASID
// of extra capability 0, a root, still names it, the address is a multiple of what an entry of this
// level spans (AlignmentError), and the tables on the way are there (FailedLookup). Else null, and
// *error.
[[gnu::always_inline]] static inline uint64_t *find_entry(
	struct invocation *invocation, uint64_t address, unsigned level, enum error *error) {
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t named = space_word_of_asid(root->map.asid);
	struct paging_walk walk = {};

	if (unlikely(named != root->word))
		*error = root_error(invocation, named);
	else if (unlikely(!is_aligned(address, paging_span(level))))
		*error = ERROR_ALIGNMENT;
	else {
		walk = paging_walk(space_named(named), address, level);
		// It finds the one or the other.
		if (!walk.entry && !walk.missing_bits) __builtin_unreachable();
	}
	if (walk.missing_bits) *error = error_missing(invocation, LOOKUP_TARGET, walk.missing_bits);
	return walk.entry;
}

// What a capability that is mapped at address below root records; level: of a table.
static uint64_t place_of(const struct cap *root, uint64_t address, unsigned level) {
	struct cap place = {.map = {.level = level & 3u, .mapped = 1}};

	place.word |= (root->word & ~CAP_ADDRESS) | (address & CAP_ADDRESS);
	return place.word;
}

// Frames

// A copy is mapped nowhere (CAP-8).
enum error frame_derive(const struct slot *, struct cap *cap) {
	cap->word = 0;
	return ERROR_NONE;
}

// True if a page of this level is mapped by all entries of a page table instead. Few formats ever
// want that.
static bool is_split(const struct paging_format *paging, unsigned level) {
	return paging->split && level == 2 && this_cpu()->mitigations & paging->split;
}

// Level of the table in which a table is named.
static unsigned table_parent_level(const struct cap *table) { return table->map.level + 1u; }

// Takes the frame or table, as type says, out of its space, if that still has it: another may have
// replaced it (MEM-4).
[[gnu::always_inline]] static inline void detach(const struct cap *cap, enum cap_type type) {
	const struct paging_format *paging = space_paging(cap->map.format);
	bool is_frame = type == CAP_FRAME;
	unsigned whole = is_frame ? frame_level(cap) : table_parent_level(cap), level;
	struct cap root;
	uint64_t *entry;

	if (unlikely(cap->map.format == SPACE_DMA)) return io_detach(cap);
	level = is_frame && is_split(paging, whole) ? 1 : whole;
	root.word = space_word_of_asid(cap->map.asid);
	if (unlikely(root.map.format != cap->map.format)) return; // the space is gone
	entry = paging_walk(space_named(root.word), cap_address(cap), level).entry;
	if (!entry || !entry_leads_to(*entry, level, type, physical_of(cap_object(cap)))) return;
	*entry = 0;
	if (unlikely(level != whole)) memory_clear(entry, BIT(TABLE_BITS));
	space_forget(paging, space_physical(root.word), cap->map.asid,
		is_frame ? cap_address(cap) : EVERY_PAGE);
}

static void frame_detach(const struct cap *cap) { detach(cap, CAP_FRAME); }

void frame_destroy(struct slot *slot, bool) {
	if (slot->cap.map.mapped) frame_detach(&slot->cap);
}

// Whether the place asked for agrees with where the capability is mapped, or is a user's.
static enum error frame_check_place(struct invocation *invocation, uint64_t address) {
	const struct cap *frame = &invocation->slot->cap, *root = &invocation->caps[0]->cap;

	if (!frame->map.mapped)
		return likely(range_fits(address, BIT(frame->size_bits), PAGING_USER_LIMIT))
			? ERROR_NONE
			: error_argument(invocation, 0);
	if (frame->map.asid != root->map.asid) return error_capability(invocation, 1);
	if (frame->map.format != root->map.format) return ERROR_ILLEGAL_OPERATION;
	return likely(cap_address(frame) == address) ? ERROR_NONE : error_argument(invocation, 0);
}

// A frame that is mapped already may get other rights where it is, and a page may replace one of
// its size.
enum error frame_map(struct invocation *invocation) {
	const struct paging_format *paging = &paging_host;
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t address = invocation_word(invocation, 0), *entry, old;
	enum error error;

	if (!space_is_assigned(root, SPACE_HOST)) return error_capability(invocation, 1);
	error = frame_check_place(invocation, address);
	if (error) return error;
	entry = find_entry(invocation, address, frame_level(frame), &error);
	if (!entry) return error;
	old = *entry;
	if (paging_is_table(old, frame_level(frame))) return ERROR_DELETE_FIRST;

	*entry = frame_entry(frame, paging, frame_level(frame), invocation_word(invocation, 1),
		invocation_word(invocation, 2));
	frame->word = place_of(root, address, 0);
	if (frame->device)
		screen_lend(&this_cpu()->platform->console.screen,
			physical_of(cap_object(frame)).value, BIT(frame->size_bits));
	if (!paging_is_free(old))
		space_forget(paging, space_physical(root->word), root->map.asid, address);
	return ERROR_NONE;
}

// A frame that is mapped nowhere, where nothing is.
[[gnu::always_inline]] static inline enum error map_once(
	struct invocation *invocation, enum space_format format, bool split) {
	const struct paging_format *paging = space_paging(format);
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t address = align_down(invocation_word(invocation, 0), BIT(PAGE_BITS));
	unsigned level = frame_level(frame), count = split ? PAGING_ENTRIES : 1;
	uint64_t *entries, first;
	enum error error;

	if (frame->map.mapped) return error_capability(invocation, 0);
	if (!space_is_assigned(root, format)) return error_capability(invocation, 1);
	if (address > paging->limit) return error_argument(invocation, 0);
	entries = find_entry(invocation, address, level, &error);
	if (entries && split) entries = find_entry(invocation, address, level = 1, &error);
	if (!entries) return error;
	for (unsigned i = 0; i < count; i++)
		if (!paging_is_free(entries[i])) return ERROR_DELETE_FIRST;
	if (level > paging->largest_page) return error_capability(invocation, 0);

	first = frame_entry(frame, paging, level, invocation_word(invocation, 1),
		invocation_word(invocation, 2));
	// Right for addresses that are the other way round as well.
	for (unsigned i = 0; i < count; i++)
		entries[i] = first ^ (uint64_t)i << PAGE_BITS;
	frame->word = place_of(root, address, 0);
	return ERROR_NONE;
}

enum error frame_map_ept(struct invocation *invocation) {
	if (unlikely(is_split(space_paging(SPACE_GUEST), frame_level(&invocation->slot->cap))))
		return map_once(invocation, SPACE_GUEST, true);
	return map_once(invocation, SPACE_GUEST, false);
}

enum error frame_unmap(struct invocation *invocation) {
	struct cap *frame = &invocation->slot->cap;

	if (frame->map.mapped) frame_detach(frame);
	frame->word = 0;
	return ERROR_NONE;
}

enum error frame_get_address(struct invocation *invocation) {
	return invocation_return(invocation, physical_of(invocation_object(invocation)).value);
}

// Tables

static void table_detach(const struct cap *cap) { detach(cap, CAP_TABLE); }

// Some tables may name a root that never had an ASID, and then get the error of an ASID that is
// gone (MEM-22).
static bool table_may_name(
	const struct cap *table, const struct paging_format *paging, const struct cap *root) {
	return root->type == CAP_SPACE && root->map.format == table->map.format &&
		(root->map.asid != ASID_NONE || paging->late_asid >> table->map.level & 1);
}

enum error table_map(struct invocation *invocation) {
	struct cap *table = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	const struct paging_format *paging = space_paging(table->map.format);
	unsigned level = table_parent_level(table);
	uint64_t address = align_down(invocation_word(invocation, 0), paging_span(level)), *entry;
	enum error error;

	if (table->map.mapped) return error_capability(invocation, 0);
	if (!table_may_name(table, paging, root)) return error_capability(invocation, 1);
	if (address > paging->limit) return error_argument(invocation, 0);
	entry = find_entry(invocation, address, level, &error);
	if (!entry) return error;
	if (!paging_is_free(*entry)) return ERROR_DELETE_FIRST;

	*entry = paging_table_entry(
		paging, physical_of(cap_object(table)), invocation_word(invocation, 1));
	table->word = place_of(root, address, table->map.level);
	return ERROR_NONE;
}

enum error table_unmap(struct invocation *invocation) {
	const struct cap kept = {
		.map = {.format = 3, .level = 3}}; // bits that an unmapped table keeps
	struct slot *slot = invocation->slot;

	if (!derive_is_last(slot)) return ERROR_REVOKE_FIRST;
	if (slot->cap.map.mapped) {
		table_detach(&slot->cap);
		slot->cap.word &= kept.word;
		memory_clear(cap_object(&slot->cap), 1 << TABLE_BITS);
	}
	return ERROR_NONE;
}

void table_destroy(struct slot *slot, bool last) {
	if (last && slot->cap.map.mapped) table_detach(&slot->cap);
}

// At boot

void mapping_attach(struct cap *cap, const struct cap *root, uint64_t address) {
	const struct paging_format *paging = space_paging(root->map.format);
	bool is_table = cap->type == CAP_TABLE;
	unsigned level = is_table ? table_parent_level(cap) : frame_level(cap);
	uint64_t *entry = paging_walk(cap_object(root), address, level).entry;

	*entry = is_table ? paging_table_entry(paging, physical_of(cap_object(cap)), 0)
			  : frame_entry(cap, paging, level, RIGHTS_ALL, 0);
	cap->word = place_of(root, address, cap->map.level);
}
