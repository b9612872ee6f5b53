// SPDX-License-Identifier: BSD-2-Clause
// The playground's memory.
#include <base/memory.h>
#include <user/space.h>
#include <user/untyped.h>

#include "seat.h"

static seL4_CPtr frame; // written once, by playground_make

bool playground_make(void) {
	struct space own = space_own();

	frame = object_make(OBJECT_LARGE_PAGE, 0);
	if (!frame ||
		space_map(&own,
			&(struct mapping){.frame = frame,
				.address = PLAYGROUND,
				.rights = seL4_AllRights,
				.attributes = seL4_X86_Default_VMAttributes}))
		return false;
	return true;
}

void playground_reset(void) {
	memcpy((void *)PLAYGROUND, player_begin, (size_t)(player_end - player_begin));
}

uint64_t playground_frame(void) { return frame; }

struct seat *seat_of(unsigned index) {
	return (struct seat *)(PLAYGROUND_SEATS + index * (uint64_t)SEAT_SIZE);
}

uint64_t action_address(enum action action) { return PLAYGROUND + player_actions[action]; }
