// SPDX-License-Identifier: BSD-2-Clause
// The debug console of a kernel that does not print.
#include <microkit.h>

void microkit_dbg_putc(int c) { (void)c; }
