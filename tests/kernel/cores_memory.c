// SPDX-License-Identifier: BSD-2-Clause
// Tests: what is unmapped is out of the reach of all cores when the operation returns.
#include "snippets.h"
#include "cores.h"

enum { ROUNDS = 30, USERS = 6 };

#define OTHER_ADDRESS (TEST_ADDRESS + (1ul << 21))

// The helpers use the page at TEST_ADDRESS; the same frame is at OTHER_ADDRESS for this thread.
struct page {
	uint64_t frame, table; // capabilities; the table has nothing but this page
	volatile uint64_t *words; // at OTHER_ADDRESS
	uint64_t faults, replies[USERS];
	struct helper *users[USERS];
	unsigned count;
};

static void frame_at(uint64_t frame, uint64_t address, uint64_t rights) {
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, address, rights));
}

static struct page page_make(void) {
	struct page page = {
		.frame = object_new(OBJECT_PAGE, 0),
		.table = object_new(OBJECT_PAGE_TABLE, 0),
		.words = (volatile uint64_t *)OTHER_ADDRESS,
		.faults = object_new(OBJECT_ENDPOINT, 0),
	};

	for (unsigned index = 0; index < USERS; index++)
		page.replies[index] = object_new(OBJECT_REPLY, 0);
	tables_make(ROOT_SLOT_SPACE, OTHER_ADDRESS);
	CHECK_OK(table_map(page.table, LABEL_PAGE_TABLE_MAP, ROOT_SLOT_SPACE, TEST_ADDRESS));
	frame_at(page.frame, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
	frame_at(cap_copy(page.frame), OTHER_ADDRESS, RIGHT_READ | RIGHT_WRITE);
	return page;
}

// Each helper has a word of the page.
static void write_for_ever(struct helper *helper) {
	volatile uint64_t *word = (volatile uint64_t *)TEST_ADDRESS + helper->index;

	for (;;) {
		++*word;
		core_relax();
	}
}

static void read_for_ever(struct helper *helper) {
	for (;;) {
		helper->result[1] = *(volatile uint64_t *)TEST_ADDRESS;
		helper->count++;
		core_relax();
	}
}

static void users_start(struct page *page, void (*run)(struct helper *)) {
	page->count = core_count() - 1 < USERS ? core_count() - 1 : USERS;
	for (unsigned index = 0; index < page->count; index++) {
		page->users[index] = core_helper(1 + index, PRIORITY_HELPER);
		helper_fault_handler_set(page->users[index], page->faults);
		helper_start(page->users[index], run);
	}
}

static void writers_check(const struct page *page) {
	for (unsigned index = 0; index < page->count; index++) {
		const volatile uint64_t *word = &page->words[page->users[index]->index];
		uint64_t before = *word;

		CHECK_MEANWHILE(*word > before);
	}
}

// No helper has written since the operation returned, and each has faulted.
static void writers_faulted(const struct page *page, const uint64_t *before) {
	core_pass(100);
	for (unsigned index = 0; index < page->count; index++)
		CHECK_EQUAL(page->words[page->users[index]->index], before[index]);
	for (unsigned index = 0; index < page->count; index++) {
		struct message fault = ipc_recv(page->faults, page->replies[index]);

		CHECK_EQUAL(fault.label, FAULT_VM);
		CHECK_EQUAL(fault.words[1] & ~0xffful, TEST_ADDRESS);
	}
	for (unsigned index = 0; index < page->count; index++)
		CHECK_EQUAL(page->words[page->users[index]->index], before[index]);
}

static void words_read(const struct page *page, uint64_t *words) {
	for (unsigned index = 0; index < page->count; index++)
		words[index] = page->words[page->users[index]->index];
}

static void faults_answer(const struct page *page) {
	for (unsigned index = 0; index < page->count; index++)
		ipc_send(page->replies[index], 0, WORDS());
}

static void unmapped(void) {
	struct page page = page_make();
	uint64_t before[USERS];

	users_start(&page, write_for_ever);
	for (unsigned round = 0; round < ROUNDS; round++) {
		writers_check(&page);
		CHECK_OK(frame_unmap(page.frame));
		words_read(&page, before);
		writers_faulted(&page, before);
		frame_at(page.frame, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
		faults_answer(&page);
	}
}

// Threads of another space, which has no such page, hold the writers' cores meanwhile.
static void unmapped_not_loaded(void) {
	struct page page = page_make();
	uint64_t before[USERS] = {}, space = space_new();
	struct helper *others[USERS];

	image_map(space);
	users_start(&page, write_for_ever);
	for (unsigned index = 0; index < page.count; index++) {
		others[index] = core_helper(1 + index, PRIORITY_HELPER + 1);
		CHECK_OK(invoke(others[index]->tcb, LABEL_TCB_SET_SPACE,
			CAPS(NULL_CAP, ROOT_SLOT_CNODE, space), WORDS(0, 0)));
	}
	writers_check(&page);
	for (unsigned index = 0; index < page.count; index++)
		helper_start(others[index], core_spin);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned index = 0; index < page.count; index++)
			CHECK_COUNTS(others[index], 1 + index);
		words_read(&page, before);
		CHECK_OK(frame_unmap(page.frame));
		for (unsigned index = 0; index < page.count; index++)
			CHECK_OK(invoke(others[index]->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
		writers_faulted(&page, before);
		frame_at(page.frame, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
		faults_answer(&page);
		writers_check(&page);
		for (unsigned index = 0; index < page.count; index++)
			CHECK_OK(invoke(others[index]->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

static void rights_taken(void) {
	struct page page = page_make();
	uint64_t before[USERS];

	users_start(&page, write_for_ever);
	for (unsigned round = 0; round < ROUNDS; round++) {
		writers_check(&page);
		frame_at(page.frame, TEST_ADDRESS, RIGHT_READ);
		words_read(&page, before);
		writers_faulted(&page, before);
		frame_at(page.frame, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
		faults_answer(&page);
	}
}

static void frame_deleted(void) {
	struct page page = page_make();
	uint64_t before[USERS];

	users_start(&page, write_for_ever);
	writers_check(&page);
	CHECK_OK(cap_delete(page.frame));
	words_read(&page, before);
	writers_faulted(&page, before);
}

static void table_unmapped(void) {
	struct page page = page_make();
	uint64_t before[USERS];

	users_start(&page, write_for_ever);
	for (unsigned round = 0; round < ROUNDS; round++) {
		writers_check(&page);
		CHECK_OK(invoke(page.table, LABEL_PAGE_TABLE_UNMAP, CAPS(), WORDS()));
		words_read(&page, before);
		writers_faulted(&page, before);
		CHECK_OK(
			table_map(page.table, LABEL_PAGE_TABLE_MAP, ROOT_SLOT_SPACE, TEST_ADDRESS));
		(void)frame_unmap(page.frame);
		frame_at(page.frame, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
		faults_answer(&page);
	}
}

// It may have come to a moment at which there was no page.
static bool has_read(const struct helper *user, uint64_t count) {
	(void)invoke(user->tcb, LABEL_TCB_RESUME, CAPS(), WORDS());
	return user->count > count + 1; // what it read before may be stored after
}

// Each core sees the frame that is mapped now, never the one before.
static void replaced(void) {
	struct page page = page_make();
	uint64_t frames[2] = {page.frame, object_new(OBJECT_PAGE, 0)};

	frame_at(cap_copy(frames[1]), OTHER_ADDRESS + 4096, RIGHT_READ | RIGHT_WRITE);
	page.words[0] = 100;
	*(volatile uint64_t *)(OTHER_ADDRESS + 4096) = 101;
	users_start(&page, read_for_ever);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned next = (round + 1) % 2;

		CHECK_OK(frame_unmap(frames[round % 2]));
		frame_at(frames[next], TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE);
		for (unsigned index = 0; index < page.count; index++) {
			uint64_t count = page.users[index]->count;

			CHECK_MEANWHILE(has_read(page.users[index], count));
			CHECK_EQUAL(page.users[index]->result[1], 100 + next);
		}
	}
}

// The threads are in spaces of their own, which go while they run.
static void spaces_revoked(void) {
	static volatile uint64_t counters[3];

	for (unsigned round = 0; round < 3; round++) {
		struct helper *helper = core_helper(core_other(round), PRIORITY_HELPER);
		uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
		uint64_t space = object_new_in(untyped, OBJECT_PML4, 0), count;

		CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
		image_map(space);
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE,
			CAPS(NULL_CAP, ROOT_SLOT_CNODE, space), WORDS(0, 0)));
		counters[round] = 0;
		helper_start_at(helper, code_count, (uint64_t)&counters[round]);
		CHECK_MEANWHILE(counters[round] > 0);
		CHECK_OK(cap_revoke(untyped));
		count = counters[round];
		core_pass(2000);
		CHECK_EQUAL(counters[round], count);
	}
}

static void map_and_unmap(struct helper *helper) {
	volatile uint64_t *word = (volatile uint64_t *)helper->argument[1];

	for (unsigned round = 0; round < ROUNDS; round++) {
		helper->message = frame_map(helper->argument[0], ROOT_SLOT_SPACE,
			helper->argument[1], RIGHT_READ | RIGHT_WRITE);
		if (helper->message.label != ERROR_NONE) return;
		*word = round;
		if (*word == round) helper->count++;
		helper->message = frame_unmap(helper->argument[0]);
		if (helper->message.label != ERROR_NONE) return;
	}
}

// All cores change one space's tables, each its own page.
static void mapped_by_all_cores(void) {
	struct helper *helpers[6];

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	for (unsigned index = 0; index < array_count(helpers); index++) {
		helpers[index] = core_helper(core_other(index), PRIORITY_HELPER);
		helpers[index]->argument[0] = object_new(OBJECT_PAGE, 0);
		helpers[index]->argument[1] = TEST_ADDRESS + index * 4096;
	}
	for (unsigned index = 0; index < array_count(helpers); index++)
		helper_start(helpers[index], map_and_unmap);
	for (unsigned index = 0; index < array_count(helpers); index++) {
		CHECK_MEANWHILE(helpers[index]->done);
		CHECK_EQUAL(helpers[index]->count, ROUNDS);
	}
}

static const struct test tests[] = {
	{"cores-unmap", "a page that all cores write faults as soon as it is unmapped", unmapped,
		NULL},
	{"cores-unmap-not-loaded", "so does one whose writers' cores run threads of another space",
		unmapped_not_loaded, NULL},
	{"cores-rights", "it faults as soon as it may only be read", rights_taken, NULL},
	{"cores-frame-gone", "it faults when the frame is deleted", frame_deleted, NULL},
	{"cores-table-unmap", "it faults as soon as its table is unmapped", table_unmapped, NULL},
	{"cores-remap", "all cores see the frame that is mapped now", replaced, NULL},
	{"cores-space-gone", "a thread stops when its space is revoked", spaces_revoked, NULL},
	{"cores-map-all", "all cores map and unmap in one space at once", mapped_by_all_cores,
		NULL},
};

TEST_FILE(cores_memory);
