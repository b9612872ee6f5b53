// SPDX-License-Identifier: BSD-2-Clause
#include <entry/framebuffer.h>

#include <cpu/platform.h>

// As soon as the tables in use, which show memory below the limit, have its own.
static void start(struct screen *screen, uint64_t limit) {
	if (!screen->memory && screen->size && range_fits(screen->address, screen->size, limit))
		screen_show(screen, physical_pointer(physical(screen->address)));
}

void framebuffer_find(struct screen *screen, const struct boot_facts *facts) {
	if (!facts->has_framebuffer || !screen_read(screen, facts->framebuffer) ||
		!region_has(&facts->memory.device, screen->address, screen->size))
		screen->size = 0;
	start(screen, PHYSICAL_READ_END);
}

void framebuffer_mapped(struct screen *screen, uint64_t limit) {
	start(screen, limit);
	if (screen->memory)
		print("screen: %u x %u characters at %lx\n", screen->columns, screen->rows,
			screen->address);
}
