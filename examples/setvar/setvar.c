// SPDX-License-Identifier: BSD-2-Clause
// Prints what the composer put into its variables.
#include <microkit.h>

// Patched by the composer.
seL4_Word window_vaddr;
seL4_Word window_paddr;
seL4_Word device_paddr;

static void print_line(seL4_Word value) {
	microkit_dbg_put32((seL4_Uint32)value);
	microkit_dbg_putc('\n');
}

void init(void) {
	print_line(window_vaddr);
	print_line(window_paddr);
	print_line(device_paddr);
}

void notified(microkit_channel channel) { (void)channel; }
