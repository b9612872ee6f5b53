// SPDX-License-Identifier: BSD-2-Clause
// Writes a number of its own into each page and finds it there after all are written.
#include <microkit.h>

enum { PAGE = 0x1000, LOW_PAGES = 0x200, HIGH_PAGES = 0x401 };

seL4_Word high, low;

static void fill(seL4_Word start, seL4_Word pages, seL4_Word salt) {
	for (seL4_Word i = 0; i < pages; i++)
		*(volatile seL4_Word *)(start + i * PAGE) = i ^ salt;
}

static seL4_Word count(seL4_Word start, seL4_Word pages, seL4_Word salt) {
	seL4_Word right = 0;

	for (seL4_Word i = 0; i < pages; i++)
		right += *(volatile seL4_Word *)(start + i * PAGE) == (i ^ salt);
	return right;
}

void init(void) {
	fill(high, HIGH_PAGES, 0x5a5a0000);
	fill(low, LOW_PAGES, 0xa5a50000);
	if (count(high, HIGH_PAGES, 0x5a5a0000) == HIGH_PAGES &&
		count(low, LOW_PAGES, 0xa5a50000) == LOW_PAGES)
		microkit_dbg_puts("fixed: all pages are there\n");
	else
		microkit_dbg_puts("fixed: wrong page\n");
}

void notified(microkit_channel channel) { (void)channel; }
