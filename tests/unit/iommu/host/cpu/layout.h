// SPDX-License-Identifier: BSD-2-Clause
// Host tests: a physical address is the host's.
#pragma once

#define physical_pointer physical_pointer_in_window
#define physical_of physical_of_window
#include_next <cpu/layout.h>
#undef physical_pointer
#undef physical_of

static inline void *physical_pointer(physical_t address) { return (void *)address.value; }

static inline physical_t physical_of(const void *pointer) { return physical((uint64_t)pointer); }
