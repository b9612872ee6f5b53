// SPDX-License-Identifier: BSD-2-Clause
// Host tests: a kernel root of recognisable entries.
#pragma once

#include <cpu/layout.h>

const uint64_t *kernel_map_root(void);
physical_t kernel_map_root_physical(void);
