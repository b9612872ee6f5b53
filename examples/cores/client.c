// SPDX-License-Identifier: BSD-2-Clause
// Calls its server as fast as it can, and counts.
#include <microkit.h>

#include "count.h"

enum {
	SERVER = 1,
	CPUID_FEATURES = 1,
	APIC_ID_SHIFT = 24, // in EBX (SDM 2A, CPUID)
};

// Patched by the composer.
seL4_Word count_vaddr;

static uint64_t apic_id(void) {
	uint32_t eax = CPUID_FEATURES, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx >> APIC_ID_SHIFT;
}

static bool ask(uint64_t question) {
	microkit_mr_set(0, question);
	microkit_ppcall(SERVER, microkit_msginfo_new(0, 1));
	return microkit_mr_get(0) == question + 1;
}

void init(void) {
	volatile struct count *count = (struct count *)count_vaddr;

	for (uint64_t question = 0;; question++) {
		if (ask(question))
			count->calls++;
		else
			count->wrong++;
		count->apic_id = apic_id();
	}
}

void notified(microkit_channel channel) { (void)channel; }
