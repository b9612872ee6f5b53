// SPDX-License-Identifier: BSD-2-Clause
// What follows the fault of a domain that is to be restarted: a delay that doubles each time, then
// the rebuild, until the described number of restarts is used up.
#pragma once

#include <root/system.h>

#define RESTART_BADGE (1ul << 32) // of the clock's signals; no domain's badge has this bit

// Make the clock if any domain of the system is to be restarted.
[[nodiscard]] seL4_Error restart_init(struct system *system);

// The domain has faulted and is stopped; it is rebuilt in so many microseconds at the earliest.
void restart_plan(struct system *system, uint32_t domain, uint32_t least);

// The clock has signalled: rebuild what is due.
void restart_tick(struct system *system);
