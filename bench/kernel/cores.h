// SPDX-License-Identifier: BSD-2-Clause
// Helpers on other cores than the first, where the main thread waits in a loop. What they measure
// is theirs alone: no other thread reads the time stamp counter meanwhile.
#pragma once

#include "bench.h"

// In an emulator cores may share one of its host's.
static inline void core_relax(void) { asm volatile("pause" ::: "memory"); }

// False, and the row is skipped, with less than count cores.
_Bool cores_are(uint64_t count);
void core_move(struct helper *helper, uint64_t core);
struct helper *core_helper(uint64_t core, uint64_t priority);
// Until it has come to its end, or for a while in which others can block.
void core_wait(const struct helper *helper);
void core_pass(void);
