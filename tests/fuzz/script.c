// SPDX-License-Identifier: BSD-2-Clause
// The arena's memory.
#include "script.h"

#include <base/memory.h>
#include <user/space.h>
#include <user/untyped.h>

static seL4_CPtr frame; // written once, by arena_make

bool arena_make(void) {
	struct space own = space_own();

	frame = object_make(OBJECT_LARGE_PAGE, 0);
	if (!frame ||
		space_map(&own,
			&(struct mapping){.frame = frame,
				.address = ARENA,
				.rights = seL4_AllRights,
				.attributes = seL4_X86_Default_VMAttributes,
				.bits = LARGE_PAGE_BITS}))
		return false;
	return true;
}

void arena_reset(void) {
	memcpy((void *)ARENA, interpreter_begin, (size_t)(interpreter_end - interpreter_begin));
}

uint64_t arena_frame(void) { return frame; }

struct script *script_of(unsigned index) {
	return (struct script *)(ARENA_SCRIPTS + index * (uint64_t)SCRIPT_SIZE);
}

uint64_t action_address(enum action action) { return ARENA + action_offsets[action]; }
