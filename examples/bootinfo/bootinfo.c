// SPDX-License-Identifier: BSD-2-Clause
// Reads the rate of the time stamp counter from a boot information chunk.
#include <microkit.h>

struct chunk {
	seL4_Word id;
	seL4_Word length; // of header and content; 0: the kernel gave no such chunk
	seL4_Uint32 megahertz;
};

// Patched by the composer.
const struct chunk *tsc_chunk;

void init(void) {
	microkit_dbg_puts("====BootInfo====\n");
	if (tsc_chunk->length == 0) {
		microkit_dbg_puts("the TSC frequency was not found\n");
		return;
	}
	microkit_dbg_puts("TSC Frequency: ");
	microkit_dbg_put32(tsc_chunk->megahertz);
	microkit_dbg_puts("MHz\n");
}

void notified(microkit_channel channel) { (void)channel; }
