// SPDX-License-Identifier: BSD-2-Clause
// Programs are built without frame pointers, so the walk is a search: every word on the stack that
// names code just after a call instruction is taken for a return address. Words left by calls that
// have finished may appear among the real ones.
#include <root/backtrace.h>

#include <base/bits.h>

#include <root/pages.h>
#include <root/symbols.h>

#include <user/print.h>
#include <user/slots.h>

enum {
	FRAMES_SHOWN = 12,
	PAGES_SEARCHED = 4,
};

static void print_place(
	const struct image *image, uint32_t domain, const char *what, seL4_Word at) {
	struct place place;

	if (symbols_find(image, domain, at, &place))
		print("  %s 0x%lx %s+0x%lx\n", what, at, place.function, place.offset);
	else
		print("  %s 0x%lx\n", what, at);
}

// Print the return addresses of one stack page from an address on; returns how many were found.
static unsigned search_page(
	const struct system *system, uint32_t domain, seL4_Word from, unsigned shown) {
	seL4_CPtr slot = slots_allocate(1);
	const seL4_Word *words;
	unsigned found = 0;

	if (!slot) return 0;
	words = pages_open_stack(system, domain, from, slot);
	for (seL4_Word i = (from & bits_mask(PAGE_BITS)) / sizeof(seL4_Word);
		words && i < (1ul << PAGE_BITS) / sizeof(seL4_Word) && shown + found < FRAMES_SHOWN;
		i++) {
		if (!symbols_follow_call(&system->image, domain, words[i])) continue;
		// The call itself, so that the last line of a function is not taken for the next.
		print_place(&system->image, domain, "from", words[i] - 1);
		found++;
	}
	if (words) pages_close_stack(slot);
	slots_release(slot, 1);
	return found;
}

void backtrace_print(
	const struct system *system, uint32_t domain, const seL4_UserContext *registers) {
	seL4_Word bottom = DOMAIN_STACK_TOP - system->image.domains[domain].stack_size;
	seL4_Word from = align_up(registers->rsp, sizeof(seL4_Word));
	unsigned shown = 0;

	print_place(&system->image, domain, "at", registers->rip);
	if (from < bottom || from >= DOMAIN_STACK_TOP) {
		print("  the stack pointer is outside the stack 0x%lx..0x%lx\n", bottom,
			DOMAIN_STACK_TOP);
		return;
	}
	for (int i = 0; i < PAGES_SEARCHED && from < DOMAIN_STACK_TOP && shown < FRAMES_SHOWN;
		i++) {
		shown += search_page(system, domain, from, shown);
		from = align_down(from, 1ul << PAGE_BITS) + (1ul << PAGE_BITS);
	}
}
