// SPDX-License-Identifier: BSD-2-Clause
// What every file takes for granted: types of the language, names for what the compiler offers
// beyond it, and the functions on memory that it calls by name.
#pragma once

#include <base/memory.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define array_count(array) (sizeof(array) / sizeof((array)[0]))
