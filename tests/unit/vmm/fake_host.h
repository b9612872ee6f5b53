// SPDX-License-Identifier: BSD-2-Clause
// A host for unit tests: the vCPU's fields are arrays, time is a variable, calls are counted.
#pragma once

#include <vmm/host/host.h>

enum { FAKE_FIELDS = 0x7000, FAKE_STATES = 32, FAKE_WORDS = 25 };

struct fake_host {
	uint64_t fields[FAKE_FIELDS];
	uint64_t states[FAKE_STATES];
	uint64_t words[FAKE_WORDS];
	uint64_t registers[X86_REGISTERS]; // last written
	uint64_t tsc;
	uint64_t armed;
	uint64_t secondary_allowed;
	uint32_t compacted_size; // that CPUID tells
	unsigned field_reads, field_writes, register_writes, timer_calls, console_signals;
	unsigned peer_signals;
	bool running;
};

extern struct fake_host fake;

void fake_reset(void);
