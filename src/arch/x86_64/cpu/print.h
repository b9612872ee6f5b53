// SPDX-License-Identifier: BSD-2-Clause
// Formatted text on the debug console; the portable kernel knows it by <kernel/trace.h>.
#pragma once

[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);
