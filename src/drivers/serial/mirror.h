// SPDX-License-Identifier: BSD-2-Clause
// The serial driver's end at the screen's component: what is shown there, and who types.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <nacre/protocol/screen.h>

enum { MIRROR_SERIAL = -1 }; // in place of one of the screen's terminals

struct mirror {
	struct screen_end end;
	bool is_there;
	bool is_fed; // since the last look whether to notify
	int typist; // the terminal on which a key was pressed last, or MIRROR_SERIAL
	uint32_t lost[SCREEN_PLACES]; // bytes that found no room
};

void mirror_open(struct mirror *mirror, struct screen_link *link);

// A byte for a terminal of the screen. It never waits: what finds no room is counted, and the
// terminal shows the count.
void mirror_put(struct mirror *mirror, unsigned place, uint8_t byte);

// The next byte from the screen that counts as typed, and on which terminal; false when there is
// none. A question of a program's is seen by several terminals: that answers on which was typed
// last.
[[nodiscard]] bool mirror_get(struct mirror *mirror, unsigned *place, uint8_t *byte);

// After a batch: whether to notify the screen.
[[nodiscard]] bool mirror_must_notify(struct mirror *mirror);
