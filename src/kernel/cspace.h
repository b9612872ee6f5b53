// SPDX-License-Identifier: BSD-2-Clause
// From capability address to slot (semantics.md A1 to A7).
#pragma once

#include <abi/error.h>
#include <kernel/cap.h>

// Why a lookup failed, as reported in errors and faults (errors.md 2).
struct lookup_failure {
	uint32_t kind; // enum lookup_failure_kind
	uint32_t bits_left;
	uint32_t bits_found; // depth mismatch
	uint32_t guard_size; // guard mismatch
	uint64_t guard; // guard mismatch
};

struct lookup {
	struct slot *slot; // null if the lookup failed
	unsigned bits_left; // address bits not consumed at slot
};

// Walks address (its low depth bits, 1..64) from root. On failure slot is null and *failure says
// why. A slot reached with bits left over is a success here.
struct lookup cspace_walk(
	const struct cap *root, uint64_t address, unsigned depth, struct lookup_failure *failure);
