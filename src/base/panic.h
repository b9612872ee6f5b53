// SPDX-License-Identifier: BSD-2-Clause
// Assertions, and the way out when one fails. Each image supplies `panic`.
#pragma once

[[gnu::noreturn, gnu::format(printf, 1, 2), gnu::cold]] void panic(const char *format, ...);

#undef assert
#if NACRE_DEBUG
#define assert(expression) \
	((expression) ? (void)0 \
		      : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #expression))
#else
// Type-checked, never evaluated.
#define assert(expression) ((void)sizeof((expression) ? 1 : 0))
#endif
