// SPDX-License-Identifier: BSD-2-Clause
// Messages of the kernel on the debug console.
#pragma once

#include <base/compiler.h>

// Boot log and panics: both builds.
[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);

// Where an error was born, a fault nobody handles: debug build only.
#define trace(...) \
	do { \
		if (NACRE_DEBUG) print(__VA_ARGS__); \
	} while (0)
