// SPDX-License-Identifier: BSD-2-Clause
// The debug console: a 16550 at a chosen port, and port 0xE9 in the debug build.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_DEFAULT_PORT 0x3f8

// Port 0: no console. 115200 8N1.
void console_init(uint16_t port);

// Boot log and panics: both builds.
[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);

// Whether kernel/trace.h prints; on until it is switched off.
bool console_traces(void);
void console_traces_off(void);
