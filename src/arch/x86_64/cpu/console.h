// SPDX-License-Identifier: BSD-2-Clause
// The debug console: a 16550 at a chosen port, and port 0xE9 in the debug build.
#pragma once

#include <base/panic.h>
#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_DEFAULT_PORT 0x3f8

// Port 0: no console. 115200 8N1.
void console_init(uint16_t port);

// Boot log and panics: both builds.
[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);

// trace() does not print. Written at boot only.
extern bool console_is_traceless;

// Origins of errors, faults without handler: debug build only, unless log=none.
#define trace(...) \
	do { \
		if (NACRE_DEBUG && !console_is_traceless) print(__VA_ARGS__); \
	} while (0)
