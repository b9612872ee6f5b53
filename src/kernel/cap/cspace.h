// SPDX-License-Identifier: BSD-2-Clause
// From capability address to slot (CAP-1 to CAP-7).
#pragma once

#include <abi/error.h>
#include <cap/cap.h>

enum { LOOKUP_MAX_WORDS = 4 }; // that describe why an address names no slot

// The slot an address names, or why it names none, as reported in errors and faults (CAP-7).
struct lookup {
	struct slot *slot; // null if the lookup failed
	uint32_t failure; // enum lookup_failure_kind
	uint32_t bits_left; // address bits not consumed
	uint32_t bits_found; // depth mismatch
	uint32_t guard_size; // guard mismatch
	uint64_t guard; // guard mismatch
};

// Walks address (its low depth bits, 1..64) from root. A slot reached with bits left over is a
// success here.
struct lookup cspace_walk(const struct cap *root, uint64_t address, unsigned depth);

// The slot that all 64 bits of address name from root, possibly with bits left over, or null: then
// cspace_walk() has the reason.
struct slot *cspace_find(const struct cap *root, uint64_t address);

// Writes the words that describe a failure; returns how many.
unsigned lookup_failure_words(const struct lookup *lookup, uint64_t words[LOOKUP_MAX_WORDS]);

// Gives a cnode capability the guard of a data word (CAP-10). False if it does not fit.
[[nodiscard]] bool cap_set_guard(struct cap *cap, uint64_t data);
