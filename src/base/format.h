// SPDX-License-Identifier: BSD-2-Clause
// Formatted text without a C library: %c %s %d %u %x %p %%, the length l, a width (but for %p) with
// `0` for padding or `-` for left alignment, and a precision for %s (a number or `*`). A conversion
// not listed is copied to the output unchanged.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// Where characters go. An implementation embeds this as its first member.
struct format_sink {
	void (*put)(struct format_sink *sink, char character);
};

[[gnu::format(printf, 2, 0)]] void format_emit(
	struct format_sink *sink, const char *format, va_list arguments);

// Write at most size - 1 characters and, when size is not 0, always a NUL. Return the number of
// characters the complete text has.
[[gnu::format(printf, 3, 4)]] int format_text(char *buffer, size_t size, const char *format, ...);
[[gnu::format(printf, 3, 0)]] int format_text_list(
	char *buffer, size_t size, const char *format, va_list arguments);
