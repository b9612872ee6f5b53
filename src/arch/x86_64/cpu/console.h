// SPDX-License-Identifier: BSD-2-Clause
// The kernel's console: a 16550 at a chosen port, the screen, and port 0xE9 in the debug build.
#pragma once

#include <stdarg.h>
#include <base/panic.h>
#include <base/screen.h>
#include <x86/uart.h>

#define CONSOLE_DEFAULT_PORT 0x3f8
#define CONSOLE_TRIES 100000 // a character takes 87 us; a port read about 1 us

struct cpu;

struct console {
	struct screen screen;
	uint16_t port; // of the UART; 0: none
	bool is_ready;
	bool is_stuck; // the UART takes nothing; written by each character
	bool is_quiet; // print_debug() does not print
	const char *step; // of start-up that is under way, or null
	bool reboots; // after a panic
	const struct cpu *panicking; // the first core that panics; written by it, once
};

// Port 0: no console. 115200 8N1.
void console_init(uint16_t port);

// Boot log and panics: both builds.
[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);

// Prints why the machine cannot be started; false, or 0.
#define refuse(...) (print(__VA_ARGS__), false)

[[gnu::format(printf, 1, 0)]] void console_print(const char *format, va_list arguments);

// The next step of start-up, which a panic names. The code is shown by what displays port 80h.
void console_step(uint8_t code, const char *name);

// Before what leads to a panic: if another core panics already (a machine check comes to all of
// them), this one stops here.
// Other cores that are up stop now.
void console_take(void);

// True if print_debug() prints.
[[nodiscard]] bool console_prints_debug(void);

// Origins of errors, faults without handler: debug build only, unless log=none.
#define print_debug(...) (NACRE_DEBUG && console_prints_debug() ? print(__VA_ARGS__) : (void)0)
