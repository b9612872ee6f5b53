// SPDX-License-Identifier: BSD-2-Clause
// Has a port and never reads from it.
#include <microkit.h>

// Patched by the composer.
uint64_t link_vaddr;

void init(void) { microkit_dbg_puts("deaf: is there\n"); }

void notified(microkit_channel channel) { (void)channel; }
