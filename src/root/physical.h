// SPDX-License-Identifier: BSD-2-Clause
// Reading device memory (firmware's tables) before anything is built: everything mapped here is
// given back with what the self-tests and the report made.
#pragma once

#include <stdbool.h>

#include <sel4/sel4.h>

// The bytes at a physical address, where a program may have them; null for RAM and what the kernel
// keeps. They stay there until physical_forget.
const void *physical_map(seL4_Word paddr, seL4_Word size);

// What was mapped is gone (slots_delete_all).
void physical_forget(void);
