// SPDX-License-Identifier: BSD-2-Clause
// Runs at the lowest priority, when all other components have finished init and wait; prints how
// many ticks that took from the initial task's first instruction.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/tsc.h>

#include <abi/bootinfo.h>

// Patched by the composer.
seL4_Word start_vaddr;

void init(void) {
	seL4_Word now = tsc_read();
	const struct bootinfo_start *start = (const struct bootinfo_start *)start_vaddr;

	print("%lu ticks from the initial task to here\n", now - start->tsc);
}

void notified(microkit_channel channel) { (void)channel; }
