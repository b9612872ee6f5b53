// SPDX-License-Identifier: BSD-2-Clause
// Slots, objects and capabilities for tests; all of them come from the arena, which is revoked
// after each test.
#include "world.h"

static uint64_t slot_next; // by the main thread only

uint64_t slot_take(void) {
	if (slot_next < world.slot_first) slot_next = world.slot_first;
	if (slot_next == world.slot_end) test_fail(HERE, "no slot left");
	return slot_next++;
}

void slots_keep(void) { world.slot_first = slot_next; }

struct message retype(uint64_t untyped, struct words words) {
	return invoke(untyped, LABEL_UNTYPED_RETYPE, CAPS(ROOT_SLOT_CNODE), words);
}

struct message retype_one(uint64_t untyped, uint64_t type, uint64_t size_bits, uint64_t slot) {
	return retype(untyped, WORDS(type, size_bits, 0, 0, slot, 1));
}

uint64_t object_new_in(uint64_t untyped, uint64_t type, uint64_t size_bits) {
	uint64_t slot = slot_take();

	CHECK_OK(retype_one(untyped, type, size_bits, slot));
	return slot;
}

uint64_t object_new(uint64_t type, uint64_t size_bits) {
	return object_new_in(world.arena, type, size_bits);
}

uint64_t cap_copy_rights(uint64_t source, uint64_t rights) {
	uint64_t slot = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(slot, DEPTH, source, DEPTH, rights)));
	return slot;
}

uint64_t cap_copy(uint64_t source) { return cap_copy_rights(source, RIGHTS_ALL); }

uint64_t cap_mint(uint64_t source, uint64_t rights, uint64_t data) {
	uint64_t slot = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
		WORDS(slot, DEPTH, source, DEPTH, rights, data)));
	return slot;
}

struct message cap_delete(uint64_t slot) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_DELETE, CAPS(), WORDS(slot, DEPTH));
}

struct message cap_revoke(uint64_t slot) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_REVOKE, CAPS(), WORDS(slot, DEPTH));
}

uint64_t cap_kind(uint64_t slot) {
	struct call_registers registers = {.rdi = slot};

	system_call(SYSCALL_DEBUG_CAP_IDENTIFY, &registers);
	return registers.rdi;
}

uint64_t cnode_make(uint64_t radix, uint64_t guard, uint64_t guard_bits) {
	uint64_t plain = object_new(OBJECT_CNODE, radix);
	uint64_t guarded = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MUTATE, CAPS(ROOT_SLOT_CNODE),
		WORDS(guarded, DEPTH, plain, DEPTH, guard << 6 | guard_bits)));
	return guarded;
}

// Revoking the arena must succeed and leave nothing; what does not descend from it (copies of
// initial capabilities, ports, interrupts) is deleted slot by slot.
uint64_t arena_empty(void) {
	uint64_t end = slot_next;
	struct message answer = cap_revoke(world.arena);

	slot_next = world.slot_first;
	if (answer.label != ERROR_NONE)
		test_fail(HERE, "clean-up: revoke of the arena answers %lu", answer.label);
	for (uint64_t slot = world.slot_first; slot < end; slot++) {
		answer = cap_delete(slot);
		if (answer.label != ERROR_NONE)
			test_fail(HERE, "clean-up: delete of slot %lu answers %lu", slot,
				answer.label);
	}
	return end;
}

void arena_clean(void) {
	uint64_t end = arena_empty();

	for (uint64_t slot = world.slot_first; slot < end; slot++) {
		if (cap_kind(slot) != KIND_NULL)
			test_fail(HERE, "clean-up: slot %lu still holds kind %lu", slot,
				cap_kind(slot));
	}
}

const struct bootinfo_chunk *chunk_find(uint64_t id) {
	const char *cursor = (const char *)world.bootinfo + 4096;
	const char *end = cursor + world.bootinfo->extra_length;

	while (cursor + sizeof(struct bootinfo_chunk) <= end) {
		const struct bootinfo_chunk *chunk = (const void *)cursor;

		if (chunk->id == id) return chunk;
		if (chunk->length < sizeof(*chunk)) return NULL;
		cursor += chunk->length;
	}
	return NULL;
}

struct message sched_configure(uint64_t sched_context, struct sched_setting setting) {
	return invoke(world.sched_control, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAPS(sched_context),
		WORDS(setting.budget, setting.period, setting.refills, setting.badge,
			setting.flags));
}

uint64_t sched_context_make(struct sched_setting setting) {
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);

	CHECK_OK(sched_configure(sched_context, setting));
	return sched_context;
}

uint64_t image_page_count(void) {
	return world.bootinfo->image_frames.end - world.bootinfo->image_frames.start;
}

uint64_t image_frame(const void *address) {
	return world.bootinfo->image_frames.start +
		(((uint64_t)address - world.image_base) >> PAGE_BITS);
}

uint64_t space_new(void) {
	uint64_t space = object_new(OBJECT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	return space;
}

struct message table_map(uint64_t table, uint64_t label, uint64_t space, uint64_t address) {
	return invoke(table, label, CAPS(space), WORDS(address, 0));
}

// Maps whatever level is missing above the address.
void tables_make(uint64_t space, uint64_t address) {
	static const struct {
		uint64_t type;
		uint64_t label;
	} levels[] = {
		{OBJECT_PDPT, LABEL_PDPT_MAP},
		{OBJECT_PAGE_DIRECTORY, LABEL_PAGE_DIRECTORY_MAP},
		{OBJECT_PAGE_TABLE, LABEL_PAGE_TABLE_MAP},
	};

	for (unsigned level = 0; level < array_count(levels); level++) {
		uint64_t table = object_new(levels[level].type, 0);
		struct message answer = table_map(table, levels[level].label, space, address);

		if (answer.label != ERROR_DELETE_FIRST) check_ok(HERE, &answer);
	}
}

struct message frame_map(uint64_t frame, uint64_t space, uint64_t address, uint64_t rights) {
	return invoke(frame, LABEL_FRAME_MAP, CAPS(space), WORDS(address, rights, 0));
}

struct message frame_unmap(uint64_t frame) {
	return invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS());
}

void image_map(uint64_t space) {
	uint64_t address = world.image_base;

	for (uint64_t page = 0; page < image_page_count(); page++, address += 1ul << PAGE_BITS) {
		uint64_t frame = cap_copy(world.bootinfo->image_frames.start + page);

		if (page == 0 || (address & ((1ul << LARGE_PAGE_BITS) - 1)) == 0)
			tables_make(space, address);
		CHECK_OK(frame_map(frame, space, address, RIGHT_READ | RIGHT_WRITE));
	}
}
