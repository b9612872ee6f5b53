// SPDX-License-Identifier: BSD-2-Clause
// The debug console, for kernels that have one.
#include <user/microkit/internal.h>

// Patched by the composer.
bool microkit_printing __attribute__((section(".data")));

void microkit_dbg_putc(int c) {
	if (microkit_printing) seL4_DebugPutChar((char)c);
}
