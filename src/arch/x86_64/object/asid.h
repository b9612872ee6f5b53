// SPDX-License-Identifier: BSD-2-Clause
// Address space identifiers: what the tables of object kinds name (semantics.md K).
#pragma once

#include <kernel/cap.h>

void asid_pool_destroy(struct slot *slot, bool last);
