// SPDX-License-Identifier: BSD-2-Clause
// Kills the driver of the network card now and then, whatever it does at that moment.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	SLOT_DRIVER_THREAD = 1,
	KILLS = 3,
	SPACING = 500000, // microseconds, longer than a restart takes
};

// Written by the functions of this file only.
static unsigned kills;

static void wait(void) {
	microkit_mr_set(0, SPACING);
	(void)microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1));
}

void init(void) { wait(); }

void notified(microkit_channel) {
	seL4_UserContext registers = {.rip = 0x10};

	// The last restart has some time as well.
	if (kills == KILLS) {
		print("killer: killed %u times\n", kills);
		return;
	}
	if (seL4_TCB_WriteRegisters(microkit_cspace_root_slot_to_cptr(SLOT_DRIVER_THREAD),
		    seL4_True, 0, 2, &registers))
		print("killer: cannot kill the driver\n");
	kills++;
	wait();
}
