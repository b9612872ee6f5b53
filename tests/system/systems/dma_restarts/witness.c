// SPDX-License-Identifier: BSD-2-Clause
// Memory beside that of a guest with a device: ten times a second it looks whether any word has
// changed.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum { TIMER = 1, CHECKS_PER_SECOND = 10, LINE_EVERY = 50 };

// Patched by the composer.
seL4_Word tsc_info_vaddr, memory_vaddr, memory_size;

// Written by init and notified only.
static unsigned checks;

static uint64_t pattern(seL4_Word word) { return word * 0x9e3779b97f4a7c15ul + 1; }

static volatile uint64_t *memory(void) { return (volatile uint64_t *)memory_vaddr; }

static void sleep_now(void) {
	microkit_mr_set(0, tsc_read() + tsc_hertz(tsc_info_vaddr) / CHECKS_PER_SECOND);
	(void)microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET, 1));
}

void init(void) {
	for (seL4_Word i = 0; i < memory_size / sizeof(uint64_t); i++)
		memory()[i] = pattern(i);
	sleep_now();
}

void notified(microkit_channel channel) {
	if (channel != TIMER) return;
	for (seL4_Word i = 0; i < memory_size / sizeof(uint64_t); i++)
		if (memory()[i] != pattern(i)) {
			print("witness: word %lu has changed to %lx\n", i, memory()[i]);
			memory()[i] = pattern(i);
		}
	if (++checks % LINE_EVERY == 0) print("witness: %u checks\n", checks);
	sleep_now();
}
