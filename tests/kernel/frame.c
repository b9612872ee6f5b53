// SPDX-License-Identifier: BSD-2-Clause
// Tests: frames: mapping, rights, remapping, sizes, sharing (MEM-2 to MEM-15).
#include "snippets.h"
#include "world.h"

enum { READ_WRITE = RIGHT_READ | RIGHT_WRITE };

static volatile uint64_t *const word = (volatile uint64_t *)TEST_ADDRESS;

static uint64_t frame_here(void) {
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	return object_new(OBJECT_PAGE, 0);
}

// Error code of the fault a user access raises, or ~0 when it raises none.
static uint64_t access_fault(const char *code, uint64_t address) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper_start_at(helper, code, address);
	// The code ends in an exception if its access went through.
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_OK(cap_delete(helper->tcb));
	return fault.label == FAULT_VM ? fault.words[3] : ~0ul;
}

static void map_errors(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t space = space_new();

	CHECK_ERROR(invoke(frame, 0, CAPS(space), WORDS(0, 0, 0)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		invoke(frame, LABEL_FRAME_MAP, CAPS(space), WORDS(0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(
		invoke(frame, LABEL_FRAME_MAP, CAPS(), WORDS(0, 0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(frame_map(frame, ROOT_SLOT_TCB, 0, READ_WRITE), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(frame_map(frame, object_new(OBJECT_PML4, 0), 0, READ_WRITE),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(frame_map(frame, space, 0x7ffffffff000, READ_WRITE), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(frame_map(frame, space, 1ul << 47, READ_WRITE), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(
		frame_map(frame, space, 0xffffffff80000000, READ_WRITE), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(
		frame_map(frame, space, 0x7ffffffffffff001, READ_WRITE), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(frame_map(frame, space, 0x1008, READ_WRITE), ERROR_ALIGNMENT);
}

static void missing_levels(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t large = object_new(OBJECT_LARGE_PAGE, 0);
	uint64_t space = space_new();

	CHECK_ERROR(
		frame_map(frame, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 39);
	CHECK_ERROR(
		frame_map(large, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 39);
	CHECK_ERROR(frame_map(large, space, TEST_ADDRESS + 0x1000, READ_WRITE), ERROR_ALIGNMENT);
	CHECK_OK(table_map(object_new(OBJECT_PDPT, 0), LABEL_PDPT_MAP, space, TEST_ADDRESS));
	CHECK_ERROR(
		frame_map(frame, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 30);
	CHECK_ERROR(
		frame_map(large, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 30);
	CHECK_OK(table_map(object_new(OBJECT_PAGE_DIRECTORY, 0), LABEL_PAGE_DIRECTORY_MAP, space,
		TEST_ADDRESS));
	CHECK_ERROR(
		frame_map(frame, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 21);
	CHECK_OK(frame_map(large, space, TEST_ADDRESS, READ_WRITE));
}

static void table_in_the_way(void) {
	uint64_t space = space_new();

	tables_make(space, TEST_ADDRESS);
	CHECK_ERROR(frame_map(object_new(OBJECT_LARGE_PAGE, 0), space, TEST_ADDRESS, READ_WRITE),
		ERROR_DELETE_FIRST);
}

static void already_mapped(void) {
	uint64_t frame = frame_here();
	uint64_t other = space_new();

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_ERROR(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS + 0x1000, READ_WRITE),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(frame_map(frame, other, TEST_ADDRESS, READ_WRITE), ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_OK(frame_unmap(frame));
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS + 0x1000, READ_WRITE));
}

static void rights_of_call(void) {
	uint64_t frame = frame_here();

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_EQUAL(access_fault(code_write, TEST_ADDRESS), ~0ul);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), ~0ul);
	CHECK_EQUAL(access_fault(code_write, TEST_ADDRESS), 7);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_EQUAL(access_fault(code_write, TEST_ADDRESS), ~0ul);
}

static void rights_none(void) {
	uint64_t frame = frame_here();

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, 0));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), 4);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_WRITE));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), 4);
}

static void rights_of_cap(void) {
	uint64_t frame = frame_here();
	uint64_t reader = cap_copy_rights(frame, RIGHT_READ);
	uint64_t writer = cap_copy_rights(frame, RIGHT_WRITE);

	CHECK_OK(frame_map(reader, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_EQUAL(access_fault(code_write, TEST_ADDRESS), 7);
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), ~0ul);
	CHECK_OK(frame_map(writer, ROOT_SLOT_SPACE, TEST_ADDRESS + 0x1000, READ_WRITE));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS + 0x1000), 4);
}

static void unmap_faults(void) {
	uint64_t frame = frame_here();

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	word[0] = 1;
	CHECK_OK(frame_unmap(frame));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), 4);
	CHECK_OK(frame_unmap(frame));
}

static void delete_unmaps(void) {
	uint64_t frame = frame_here();
	uint64_t copy = cap_copy(frame);

	CHECK_OK(frame_map(copy, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS + 0x1000, READ_WRITE));
	word[0] = 1;
	CHECK_OK(cap_delete(copy));
	// Only this capability's mapping went away.
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), 4);
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS + 0x1000), ~0ul);
}

static void replaced_silently(void) {
	uint64_t first = frame_here();
	uint64_t second = object_new(OBJECT_PAGE, 0);

	CHECK_OK(frame_map(first, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	word[0] = 11;
	CHECK_OK(frame_map(second, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_EQUAL(word[0], 0);
	word[0] = 22;
	// The first one finds another page there and leaves it alone.
	CHECK_OK(frame_unmap(first));
	CHECK_EQUAL(word[0], 22);
}

static void shared_memory(void) {
	uint64_t frame = frame_here();

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	CHECK_OK(frame_map(cap_copy(frame), ROOT_SLOT_SPACE, TEST_ADDRESS + 0x2000, RIGHT_READ));
	for (unsigned index = 0; index < 512; index++)
		word[index] = index * 7;
	for (unsigned index = 0; index < 512; index++)
		CHECK_EQUAL(word[0x400 + index], index * 7);
}

static void large_page(void) {
	uint64_t large = object_new(OBJECT_LARGE_PAGE, 0);
	struct message answer = invoke(large, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS());

	CHECK_EQUAL(answer.words[0] & 0x1fffff, 0);
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS + (1ul << LARGE_PAGE_BITS));
	CHECK_OK(frame_map(large, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	for (uint64_t offset = 0; offset < 1ul << LARGE_PAGE_BITS; offset += 4096) {
		CHECK_EQUAL(word[offset / 8], 0);
		word[offset / 8] = offset;
	}
	for (uint64_t offset = 0; offset < 1ul << LARGE_PAGE_BITS; offset += 4096)
		CHECK_EQUAL(word[offset / 8], offset);
	CHECK_OK(frame_unmap(large));
	CHECK_EQUAL(access_fault(code_read, TEST_ADDRESS), 4);
}

static void executable(void) {
	uint64_t frame = frame_here();
	static volatile uint64_t counter;

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	// inc qword [rdi]; ud2
	word[0] = 0x0b0f07ff48;
	counter = 0;
	CHECK_EQUAL(access_fault((const char *)TEST_ADDRESS, (uint64_t)&counter), ~0ul);
	CHECK_EQUAL(counter, 1);
}

static void attributes(void) {
	uint64_t frame = frame_here();

	for (uint64_t attribute = 0; attribute < 16; attribute++) {
		CHECK_OK(invoke(frame, LABEL_FRAME_MAP, CAPS(ROOT_SLOT_SPACE),
			WORDS(TEST_ADDRESS, READ_WRITE, attribute)));
		word[attribute] = attribute;
		CHECK_EQUAL(word[attribute], attribute);
	}
}

static void address_zero(void) {
	uint64_t space = space_new();

	tables_make(space, 0);
	CHECK_OK(frame_map(object_new(OBJECT_PAGE, 0), space, 0, READ_WRITE));
	tables_make(space, 0x7fffffffe000);
	CHECK_OK(frame_map(object_new(OBJECT_PAGE, 0), space, 0x7fffffffe000, READ_WRITE));
}

static void get_address(void) {
	uint64_t frame = frame_here();
	uint64_t before = invoke(frame, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS()).words[0];
	struct message answer;

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, READ_WRITE));
	answer = invoke(frame, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS());
	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	CHECK_EQUAL(answer.words[0], before);
	CHECK_EQUAL(before & 0xfff, 0);
}

static void map_io(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t large = object_new(OBJECT_LARGE_PAGE, 0);

	CHECK_ERROR(
		invoke(frame, LABEL_FRAME_MAP_IO, CAPS(), WORDS(3, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(large, LABEL_FRAME_MAP_IO, CAPS(ROOT_SLOT_TCB), WORDS(3, 0)),
		ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_IO, CAPS(ROOT_SLOT_TCB), WORDS(3, 0)),
		ERROR_INVALID_CAPABILITY, 0);
}

static void map_ept_errors(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(), WORDS(0, 3, 6)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(ROOT_SLOT_SPACE), WORDS(0, 3, 6)),
		ERROR_INVALID_CAPABILITY, 1);
}

// A 1 GiB frame; of device memory, as the emulated machine has little RAM.
static uint64_t huge_page_new(void) {
	const struct bootinfo *info = world.bootinfo;

	for (uint64_t slot = info->untyped.start; slot < info->untyped.end; slot++) {
		const struct bootinfo_untyped *entry =
			&info->untyped_list[slot - info->untyped.start];
		uint64_t frame = slot_take();

		if (entry->is_device && entry->size_bits >= HUGE_PAGE_BITS &&
			retype_one(slot, OBJECT_HUGE_PAGE, 0, frame).label == ERROR_NONE)
			return frame;
	}
	test_skip("no untyped of 1 GiB");
}

static void huge_page(void) {
	uint64_t frame = huge_page_new();
	uint64_t space = space_new();

	CHECK_EQUAL(
		invoke(frame, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS()).words[0] & 0x3fffffff, 0);
	CHECK_ERROR(
		frame_map(frame, space, TEST_ADDRESS, READ_WRITE), ERROR_FAILED_LOOKUP, 0, 2, 39);
	CHECK_ERROR(frame_map(frame, space, TEST_ADDRESS + 0x200000, READ_WRITE), ERROR_ALIGNMENT);
	tables_make(space, TEST_ADDRESS);
	CHECK_ERROR(frame_map(frame, space, TEST_ADDRESS, READ_WRITE), ERROR_DELETE_FIRST);
	CHECK_OK(frame_map(frame, space, TEST_ADDRESS + 0x40000000, READ_WRITE));
	CHECK_ERROR(table_map(object_new(OBJECT_PAGE_DIRECTORY, 0), LABEL_PAGE_DIRECTORY_MAP, space,
			    TEST_ADDRESS + 0x40000000),
		ERROR_DELETE_FIRST);
	CHECK_OK(frame_unmap(frame));
	CHECK_OK(table_map(object_new(OBJECT_PAGE_DIRECTORY, 0), LABEL_PAGE_DIRECTORY_MAP, space,
		TEST_ADDRESS + 0x40000000));
}

static void huge_page_guest(void) {
	uint64_t frame = huge_page_new();
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	CHECK_OK(table_map(object_new(OBJECT_EPT_PDPT, 0), LABEL_EPT_PDPT_MAP, space, 0));
	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(space), WORDS(0, READ_WRITE, 6)),
		ERROR_INVALID_CAPABILITY, 0);
}

static const struct test tests[] = {
	{"frame-errors", "Map wants a space with ASID and an aligned user address", map_errors,
		"X86PageMap/1 X86PageMap/2 X86PageMap/3 X86PageMap/7 X86PageMap/10"},
	{"frame-missing", "the highest missing level is reported", missing_levels,
		"X86PageMap/11 X86PageMap/0"},
	{"frame-table", "a page does not replace a table", table_in_the_way, "X86PageMap/12"},
	{"frame-mapped", "a mapped frame is mapped again only where it is", already_mapped,
		"X86PageMap/4 X86PageMap/6 X86PageUnmap/0"},
	{"frame-rights", "mapping again changes the rights at once", rights_of_call, NULL},
	{"frame-no-rights", "without Read there is no user access", rights_none, NULL},
	{"frame-cap-rights", "the capability's rights limit the mapping", rights_of_cap, NULL},
	{"frame-unmap", "an unmapped page faults at once", unmap_faults, NULL},
	{"frame-delete", "deleting a capability removes its own mapping only", delete_unmaps, NULL},
	{"frame-replace", "a page silently replaces a page", replaced_silently, NULL},
	{"frame-share", "two mappings of a frame show the same memory", shared_memory, NULL},
	{"frame-large", "a 2 MiB page maps 2 MiB", large_page, NULL},
	{"frame-execute", "readable pages can be executed", executable, NULL},
	{"frame-attributes", "every attribute word is accepted", attributes, NULL},
	{"frame-limits", "the first and the last user page can be mapped", address_zero, NULL},
	{"frame-address", "GetAddress returns the address, mapped or not", get_address,
		"X86PageGetAddress/0"},
	{"frame-io", "MapIO wants a 4 KiB frame and an IOSpace", map_io,
		"X86PageMapIO/1 X86PageMapIO/2 X86PageMapIO/4"},
	{"frame-ept", "MapEPT wants an EPT PML4 with ASID", map_ept_errors,
		"X86PageMapEPT/1 X86PageMapEPT/3"},
	{"frame-huge", "a 1 GiB page is mapped in place of a page directory", huge_page,
		"X86PageMap/11 X86PageMap/12"},
	{"frame-huge-guest", "a 1 GiB page is not mapped for a guest", huge_page_guest,
		"X86PageMapEPT/9"},
};

TEST_FILE(frame);
