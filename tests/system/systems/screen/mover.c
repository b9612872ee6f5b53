// SPDX-License-Identifier: BSD-2-Clause
// Moves the cursor of the screen far more often than a terminal that is not read can follow.
#include <microkit.h>

#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	PORTS = 0,
	CRTC_INDEX = 0x3d4,
	CRTC_DATA = 0x3d5,
	CURSOR_HIGH = 0x0e,
	CURSOR_LOW = 0x0f,
	SCREEN = 80 * 25,
	STEP = 83, // to another line and another column
	MOVES = 2000,
	MICROSECONDS = 50000, // Bochs draws its screen less often than that
};

// Written by init and notified only.
static unsigned moves;

static void crtc_write(seL4_Word index, seL4_Word value) {
	microkit_x86_ioport_write_8(PORTS, CRTC_INDEX, index);
	microkit_x86_ioport_write_8(PORTS, CRTC_DATA, value);
}

static void move(void) {
	unsigned place = moves++ * STEP % SCREEN;

	crtc_write(CURSOR_HIGH, place >> 8);
	crtc_write(CURSOR_LOW, place & 255);
	microkit_mr_set(0, MICROSECONDS);
	(void)microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1));
}

void init(void) {
	microkit_dbg_puts("mover: starts\n");
	move();
}

void notified(microkit_channel) {
	if (moves < MOVES)
		move();
	else
		microkit_dbg_puts("mover: done\n");
}
