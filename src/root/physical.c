// SPDX-License-Identifier: BSD-2-Clause
// A window in which each physical address has one place, page by page as they are asked for.
#include <root/physical.h>

#include <base/bits.h>

#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

enum { PAGES = 512 };

#define WINDOW 0x400000000000ul // as large as the physical addresses that can have a place here
#define WINDOW_SIZE 0x3ffff0000000ul

// Page numbers. Written by the functions of this file only.
static seL4_Word mapped[PAGES];
static unsigned count;

static bool is_mapped(seL4_Word page) {
	for (unsigned i = 0; i < count; i++) {
		if (mapped[i] == page) return true;
	}
	return false;
}

static bool map_page(seL4_Word page) {
	const struct space own = space_own();
	struct mapping mapping = {
		.address = WINDOW + (page << PAGE_BITS),
		.rights = seL4_CanRead,
		.bits = PAGE_BITS,
	};

	if (is_mapped(page)) return true;
	if (count == PAGES || !untyped_is_device(page << PAGE_BITS, 1ul << PAGE_BITS)) return false;
	mapping.frame = slots_allocate(1);
	if (!mapping.frame || untyped_make_at(OBJECT_PAGE, 0, page << PAGE_BITS, mapping.frame) ||
		space_prepare(&own, mapping.address, PAGE_BITS) || space_map(&own, &mapping))
		return false;
	mapped[count++] = page;
	return true;
}

const void *physical_map(seL4_Word paddr, seL4_Word size) {
	if (size == 0 || paddr >= WINDOW_SIZE || size > WINDOW_SIZE - paddr) return NULL;
	for (seL4_Word page = paddr >> PAGE_BITS; page <= (paddr + size - 1) >> PAGE_BITS; page++) {
		if (!map_page(page)) return NULL;
	}
	return (const void *)(WINDOW + paddr);
}

void physical_forget(void) { count = 0; }
