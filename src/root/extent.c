// SPDX-License-Identifier: BSD-2-Clause
// The screen's place is the kernel's, which has checked it. Its pages are large where it begins at
// one: it is the memory of a device then, whose size is a multiple of its alignment.
#include <root/extent.h>

#include <base/bits.h>
#include <base/screen.h>

#include <user/print.h>
#include <user/untyped.h>

static bool fits_regions(const struct system *system, seL4_Word size) {
	const struct image *image = &system->image;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++) {
		if (image->regions[i].paddr != SYSTEM_SCREEN_ADDRESS ||
			image->regions[i].size >= size)
			continue;
		print("system: the screen is not used: it has 0x%lx bytes, region '%s' 0x%lx\n",
			size, image->regions[i].name, image->regions[i].size);
		return false;
	}
	return true;
}

void extent_find_screen(struct system *system) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(system->bootinfo, BOOTINFO_SCREEN);
	const uint8_t *bytes = (const uint8_t *)(chunk + 1);
	struct extent *screen = &system->screen;
	seL4_Word address, end, large;
	seL4_Word missing;

	*screen = (struct extent){.bits = PAGE_BITS};
	if (!chunk || chunk->len < sizeof(*chunk) + SCREEN_LAYOUT) return;
	address = bytes_number(bytes, SCREEN_START, 8);
	end = address +
		bytes_number(bytes, SCREEN_PITCH, 4) * bytes_number(bytes, SCREEN_HEIGHT, 4);
	screen->paddr = align_down(address, 1ul << PAGE_BITS);
	screen->size = align_up(end, 1ul << PAGE_BITS) - screen->paddr;
	large = align_up(screen->size, 1ul << LARGE_PAGE_BITS);
	if (is_aligned(screen->paddr, 1ul << LARGE_PAGE_BITS) &&
		untyped_covers(screen->paddr, large, LARGE_PAGE_BITS, &missing)) {
		screen->size = large;
		screen->bits = LARGE_PAGE_BITS;
	}
	if (!fits_regions(system, screen->size)) screen->size = 0;
}

struct extent extent_of(const struct system *system, uint32_t region) {
	const struct system_region *record = &system->image.regions[region];
	struct extent extent = {record->paddr, record->size, record->page_bits};

	if (record->paddr != SYSTEM_SCREEN_ADDRESS) return extent;
	extent = system->screen;
	if (record->page_bits < extent.bits) extent.bits = record->page_bits;
	return extent;
}
