// SPDX-License-Identifier: BSD-2-Clause
// From capability address to slot (semantics.md A1 to A7).
#pragma once

#include <abi/error.h>
#include <kernel/cap.h>

// The slot an address names, or why it names none, as told in errors and faults (errors.md 2).
struct lookup {
	struct slot *slot; // null if the lookup failed
	uint32_t failure; // enum lookup_failure_kind
	uint32_t bits_left; // address bits not consumed
	uint32_t bits_found; // depth mismatch
	uint32_t guard_size; // guard mismatch
	uint64_t guard; // guard mismatch
};

enum { LOOKUP_MAX_WORDS = 4 };

// Walks address (its low depth bits, 1..64) from root. A slot reached with bits left over is a
// success here.
struct lookup cspace_walk(const struct cap *root, uint64_t address, unsigned depth);

// The slot that all 64 bits of address name from root, if need be with bits left over, or null:
// cspace_walk() tells why.
struct slot *cspace_find(const struct cap *root, uint64_t address);

// Writes the words that describe a failure; returns how many.
unsigned lookup_failure_words(const struct lookup *lookup, uint64_t words[LOOKUP_MAX_WORDS]);

// Gives a cnode capability the guard of a data word (objects.md 4). False if it does not fit.
[[nodiscard]] bool cap_set_guard(struct cap *cap, uint64_t data);
