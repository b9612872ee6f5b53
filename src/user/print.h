// SPDX-License-Identifier: BSD-2-Clause
// Formatted text, on the kernel's debug console unless redirected.
#pragma once

#include <stdarg.h>

// From now on each character is passed to this function.
void print_to(void (*put)(char character));

// From now on print nothing: the kernel has no console.
void print_silence(void);

[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);
[[gnu::format(printf, 1, 0)]] void print_list(const char *format, va_list arguments);
