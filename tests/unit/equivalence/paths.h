// SPDX-License-Identifier: BSD-2-Clause
// Which path through a fast path was taken: a number for each sequence of its blocks. fastpath.c is
// compiled so that every block reports.
#pragma once

#include <stdint.h>

// The number since the last time it was asked for.
uint64_t path_take(void);
