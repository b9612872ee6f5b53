// SPDX-License-Identifier: BSD-2-Clause
// In place of a device that lies: claims in the queues of the virtio network driver that the device
// has returned thousands of chains, and has the driver look.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/timer.h>
#include <virtio/virtio.h>

enum {
	TIMER = 1,
	DRIVER = 2,
	DESCRIPTORS = 128,
	LANES = 2,
	LANE_MEMORY = 0x1000,
	// As the driver lays its queues out: descriptors, driver area, device area.
	USED = 16 * DESCRIPTORS + sizeof(struct virtq_split_area) + 2 * DESCRIPTORS,
	SPACING = 200000, // microseconds
};

_Static_assert(USED % 4 == 0);

// Patched by the composer.
uint64_t rings_vaddr;
uint64_t lies_most;

// Written by the functions of this file only.
static uint64_t lies;

static void wait(void) {
	microkit_mr_set(0, SPACING);
	(void)microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1));
}

void init(void) { wait(); }

void notified(microkit_channel) {
	volatile struct virtq_split_area *used = (volatile struct virtq_split_area *)(rings_vaddr +
		lies % LANES * LANE_MEMORY + USED);

	if (lies == lies_most) {
		print("liar: lied %lu times\n", lies);
		return;
	}
	used->index = (uint16_t)(used->index + 0x4000);
	lies++;
	microkit_notify(DRIVER);
	wait();
}
