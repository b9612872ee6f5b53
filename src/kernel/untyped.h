// SPDX-License-Identifier: BSD-2-Clause
// Untyped memory: where all kernel objects come from (semantics.md I).
#pragma once

#include <abi/error.h>
#include <kernel/cap.h>

// A capability to untyped memory with nothing handed out.
struct cap untyped_create(void *memory, unsigned size_bits, bool device);

// Only an untyped without children may be copied (semantics.md B1).
enum error untyped_derive(const struct slot *slot, struct cap *cap);

// Bytes a retype could hand out now.
uint64_t untyped_free_bytes(const struct slot *slot);

// Everything is handed out: the memory has another user now.
void untyped_set_full(struct slot *slot);
