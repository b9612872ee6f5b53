// SPDX-License-Identifier: BSD-2-Clause
// Names for what the compiler offers beyond the language.
#pragma once

#include <stddef.h>

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

// The structure of the given type whose member is at the pointer.
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define array_count(array) (sizeof(array) / sizeof((array)[0]))
