// SPDX-License-Identifier: BSD-2-Clause
// Messages of the kernel on the debug console.
#pragma once

#include <cpu/console.h>

// Where an error was born, a fault nobody handles: debug build only, unless log=none.
#define trace(...) \
	do { \
		if (NACRE_DEBUG && console_traces()) print(__VA_ARGS__); \
	} while (0)
