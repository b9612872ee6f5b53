// SPDX-License-Identifier: BSD-2-Clause
// Controls a guest: lets it pause for a second while it boots, tells what becomes of it, and starts
// it again a second after it has powered itself off.
#include <microkit.h>

#include <nacre/guest.h>
#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum { TIMER = 1, SECOND = 1000000 };

// Patched by the composer: the control page.
uint64_t guest_vaddr __attribute__((section(".data")));

// Written by the entry points only.
static struct guest guest;
static uint16_t changes;
static bool pauses, has_paused; // its own pause

static void wait_a_second(void) {
	microkit_mr_set(0, SECOND);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("the timer refused\n");
}

// A command that cannot be sent yet is tried again when the last one has been answered.
static void act(enum guest_state state) {
	if (state == GUEST_RUNNING && !has_paused)
		pauses = has_paused = guest_pause(&guest);
	else if (state == GUEST_PAUSED && pauses)
		pauses = !guest_resume(&guest);
	else if (state == GUEST_OFF)
		(void)guest_reset(&guest);
}

void init(void) {
	if (guest_open(&guest, guest_vaddr, GUEST_CHANNEL)) wait_a_second();
}

void notified(microkit_channel channel) {
	struct guest_status status = guest_status(&guest);

	if (channel == TIMER) {
		act(status.state);
		return;
	}
	if (status.changes == changes) return;
	changes = status.changes;
	print("the guest is %s since %s; %u restarts\n", guest_state_name(status.state),
		guest_cause_name(status.cause), status.restarts);
	if (status.state == GUEST_PAUSED || status.state == GUEST_OFF) wait_a_second();
}
