// SPDX-License-Identifier: BSD-2-Clause
// Fails an assertion as the C library's macro would.
#include <microkit.h>

void __assert_fail(const char *expression, const char *file, int line, const char *function);

void init(void) { __assert_fail("1 == 2", "asserter.c", 8, __func__); }

void notified(microkit_channel channel) { (void)channel; }
