// SPDX-License-Identifier: BSD-2-Clause
// Two of these notify each other in turns.
#include "record.h"

enum {
	OTHER = 1,
	TURNS = 1000,
};

// Patched by the composer.
seL4_Word record_number;
seL4_Word must_start;

// Written by notified only.
static unsigned turns;

void init(void) {
	if (must_start) microkit_notify(OTHER);
}

void notified(microkit_channel) {
	if (++turns == TURNS) note((unsigned)record_number, core_here());
	if (turns < TURNS || !must_start) microkit_notify(OTHER);
}
