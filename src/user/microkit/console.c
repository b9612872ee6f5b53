// SPDX-License-Identifier: BSD-2-Clause
// The debug console of a kernel that prints.
#include <microkit.h>

void microkit_dbg_putc(int c) { seL4_DebugPutChar((char)c); }
