// SPDX-License-Identifier: BSD-2-Clause
// Invocations that change what message passing depends on, with arguments that mostly make sense.
#pragma once

#include "world.h"

#include <cap/invocation.h>

enum { INVOCATION_WORDS = 8 };

struct invocation_choice {
	uint64_t label;
	unsigned slot; // of the one cnode
	unsigned length;
	unsigned cap_count;
	uint64_t words[INVOCATION_WORDS];
	unsigned caps[MESSAGE_MAX_CAPS]; // slots
};

void invocation_choose(
	const struct world *world, struct chance *chance, struct invocation_choice *choice);
