// SPDX-License-Identifier: BSD-2-Clause
// What boot information says about this machine, for root tasks that test or measure the kernel.
#include "world.h"
#include <user/slots.h>

struct world world; // by the main thread, before the first test

uint64_t world_memory(void) {
	const struct bootinfo *info = world.bootinfo;
	uint64_t count = info->untyped.end - info->untyped.start;
	uint64_t best = 0;

	for (uint64_t index = 0; index < count; index++) {
		const struct bootinfo_untyped *entry = &info->untyped_list[index];

		if (entry->is_device && entry->size_bits >= 13 && world.device == NULL_CAP)
			world.device = info->untyped.start + index;
		if (!entry->is_device &&
			(best == 0 ||
				entry->size_bits >
					info->untyped_list[best - info->untyped.start].size_bits))
			best = info->untyped.start + index;
	}
	return best;
}

static uint64_t tsc_frequency(void) {
	const struct bootinfo_chunk *chunk = chunk_find(BOOTINFO_TSC_FREQUENCY);

	return !chunk ? 1000 : *(const uint32_t *)(chunk + 1);
}

void world_see(const struct bootinfo *info) {
	world.bootinfo = info;
	world.tsc_mhz = tsc_frequency();
	world.image_base = info->ipc_buffer - (image_page_count() << PAGE_BITS);
	world.sched_control = info->sched_control.start;
}

void world_slots_take(uint64_t count) {
	world.slot_first = slots_allocate(count);
	world.slot_end = world.slot_first + count;
}
