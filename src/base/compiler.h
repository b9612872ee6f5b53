// SPDX-License-Identifier: BSD-2-Clause
// Names for what the compiler offers beyond the language.
#pragma once

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define array_count(array) (sizeof(array) / sizeof((array)[0]))
