// SPDX-License-Identifier: BSD-2-Clause
// What a component notes for the judge: on which core each event was. Its place outlives restarts.
#pragma once

#include <microkit.h>

#include <stdint.h>

#define RECORDS_VADDR 0x20000000ul

enum {
	RECORD_FAULTER,
	RECORD_SERVER,
	RECORD_NEAR,
	RECORD_FAR,
	RECORD_PARENT,
	RECORD_KID,
	RECORD_PINGER,
	RECORD_PONGER,
	RECORD_CRASHER,
	RECORD_HAMMER,
	RECORDS,

	RECORD_EVENTS = 60,
	CPUID_FEATURES = 1,
	APIC_ID_SHIFT = 24, // in EBX (SDM 2A, CPUID)
};

struct record {
	uint32_t count;
	uint8_t cores[RECORD_EVENTS];
};

static inline volatile struct record *record_of(unsigned number) {
	return (volatile struct record *)RECORDS_VADDR + number;
}

// In QEMU the ids of APICs are the numbers of cores.
static inline uint8_t core_here(void) {
	uint32_t eax = CPUID_FEATURES, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (uint8_t)(ebx >> APIC_ID_SHIFT);
}

static inline void note(unsigned number, uint8_t core) {
	volatile struct record *record = record_of(number);

	if (record->count < RECORD_EVENTS) record->cores[record->count] = core;
	record->count++;
}
