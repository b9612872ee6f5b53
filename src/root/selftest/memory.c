// SPDX-License-Identifier: BSD-2-Clause
// Memory of which kernel objects and page tables are made keeps a pattern and its complement.
// Quick: the 2 MiB that the next large object would come of; full: all that is free in such pieces.
#include <root/selftest/selftest.h>

#include <base/bits.h>

#include <root/selftest/pattern.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

enum {
	SIZE = 1 << LARGE_PAGE_BITS,
	PAGES = SIZE >> PAGE_BITS,
	PAGE_WORDS = (1 << PAGE_BITS) / sizeof(uint64_t),
	LINE = 64, // of a cache, at least
	SHOWN = 1024, // pieces between lines that say how far it is
};

#define ADDRESS 0x380000000000ul // of this thread

// To memory, so that it is not the cache that keeps it.
static void flush(const char *bytes) {
	for (size_t i = 0; i < SIZE; i += LINE)
		__asm__ volatile("clflush %0" : : "m"(bytes[i]));
	__asm__ volatile("mfence" : : : "memory");
}

static bool is_known(const struct selftest_faults *faults, seL4_Word page) {
	for (unsigned i = 0; i < faults->page_count; i++) {
		if (faults->pages[i] == page) return true;
	}
	return false;
}

static void check_page(
	struct selftest *run, seL4_Word page, const volatile uint64_t *words, uint64_t seed) {
	struct selftest_faults *faults = &run->faults;
	size_t wrong = pattern_compare(words, PAGE_WORDS, seed);

	if (wrong == PAGE_WORDS || faults->page_count == SELFTEST_PAGES || is_known(faults, page))
		return;
	faults->pages[faults->page_count++] = page;
	selftest_fail(run,
		"memory at 0x%lx does not keep what is written there; its page is not used; boot "
		"the entry `memory test`",
		page + wrong * sizeof(uint64_t));
}

// No two pages of the piece have the same pattern.
static void check_pattern(struct selftest *run, seL4_Word piece, uint64_t seed) {
	volatile uint64_t *words = (volatile uint64_t *)ADDRESS;

	for (unsigned i = 0; i < PAGES; i++)
		pattern_write(words + i * PAGE_WORDS, PAGE_WORDS, seed ^ i);
	flush((const char *)ADDRESS);
	for (unsigned i = 0; i < PAGES; i++)
		check_page(
			run, piece + ((seL4_Word)i << PAGE_BITS), words + i * PAGE_WORDS, seed ^ i);
}

static bool check_piece(struct selftest *run, seL4_CPtr frame) {
	const struct space own = space_own();
	seL4_Word piece = seL4_X86_Page_GetAddress(frame).paddr;
	struct mapping mapping = {
		.frame = frame,
		.address = ADDRESS,
		.rights = seL4_AllRights,
		.bits = LARGE_PAGE_BITS,
	};

	if (space_prepare(&own, ADDRESS, LARGE_PAGE_BITS) || space_map(&own, &mapping))
		return false;
	check_pattern(run, piece, ADDRESS);
	check_pattern(run, piece, ~ADDRESS);
	return true;
}

// A piece goes when the next one is there: untyped memory of which nothing is left begins anew.
void selftest_memory(struct selftest *run) {
	seL4_CPtr last = seL4_CapNull;
	unsigned pieces = 0;
	bool was_tried;

	do {
		seL4_CPtr frame = object_make(OBJECT_LARGE_PAGE, 0);

		if (last) slots_delete(last, 1);
		last = frame;
		was_tried = frame && check_piece(run, frame);
		pieces += was_tried;
		if (was_tried && pieces % SHOWN == 0)
			print("selftest: memory: %u MiB tried, %lu MiB left\n",
				pieces * (SIZE >> 20), untyped_left() >> 20);
	} while (was_tried && run->is_full && run->faults.page_count < SELFTEST_PAGES);
	if (last) slots_delete(last, 1);
	if (pieces == 0) selftest_skip(run, "no 2 MiB of memory in one piece");
}
