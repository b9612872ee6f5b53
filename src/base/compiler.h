// SPDX-License-Identifier: BSD-2-Clause
// Names for what the compiler offers beyond the language.
#pragma once

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

// Data of the ways into the kernel: the only data that isolated programs' tables show.
#define ENTRY_DATA [[gnu::section(".bss.entry")]]

#define array_count(array) (sizeof(array) / sizeof((array)[0]))
