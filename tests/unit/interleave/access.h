// SPDX-License-Identifier: BSD-2-Clause
// What the compiler's thread sanitizer calls at each access to memory, for one machine of a few
// cores that take turns (explore.h) instead of its own runtime.
//
// Atomic accesses are how cores talk to each other: before each the core may be left.
// A release and the acquire that reads its value put what comes before the one before what comes
// after the other. Two other accesses of two cores to the same byte, one of which at least is a
// write, must have such an order; else that is a race, and fails. So to leave a core between two of
// them cannot change anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A run of so many cores begins: what came before it does so for all of them. With delays_stores an
// atomic store is seen by other cores only when its core executes an atomic operation that is more
// than a load or a store, or a fence, waits, or leaves the kernel (SDM 3A 9.2.3.4).
void access_begin(unsigned cores, bool delays_stores);

// The stores of the present core that were delayed.
void access_show_stores(void);

// An access of code that the compiler did not look at.
void access_note(const void *memory, uint64_t size, bool is_write);
