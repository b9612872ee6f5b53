// SPDX-License-Identifier: BSD-2-Clause
// Self-tests of the machine and the kernel on it, in each boot before anything is built (boot
// option `selftest`, docs/reference/boot-options.md#self-tests).
//
// The folder: the list of tests and their outcome (selftest), threads of this program on each core
// (workers), and a file for each test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sel4/sel4.h>

enum { SELFTEST_PAGES = 8 };

// What the tests found not to work. None of it is used from then on.
struct selftest_faults {
	uint64_t cores; // a bit each
	bool guests;
	bool iommu;
	bool keeps_all; // a core may still use what was made: nothing could be given back
	unsigned page_count;
	seL4_Word pages[SELFTEST_PAGES]; // of memory, by their addresses
};

// A run of the tests.
struct selftest {
	const seL4_BootInfo *bootinfo;
	bool is_full;
	const char *name; // of the test that runs
	unsigned failures; // of this test
	const char *reason; // why it was not tried, or null
	struct selftest_faults faults;
};

// Run them as the option says. Everything they make is given back, and nothing may have been made
// before but by the caller's own start.
struct selftest_faults selftest_run(const seL4_BootInfo *bootinfo);

// For the tests: what failed and what is done about it, in a line.
[[gnu::format(printf, 2, 3)]] void selftest_fail(struct selftest *run, const char *format, ...);

// The same of a core, which is not used from then on, unless it is the first.
[[gnu::format(printf, 3, 4)]] void selftest_fail_core(
	struct selftest *run, seL4_Word core, const char *format, ...);

// The test cannot be carried out here.
void selftest_skip(struct selftest *run, const char *reason);

// Whether tests of cores may use this one: no test of it has failed.
[[nodiscard]] bool selftest_may_use(const struct selftest *run, seL4_Word core);

void selftest_timer(struct selftest *run);
void selftest_ipi(struct selftest *run);
void selftest_tlb(struct selftest *run);
void selftest_fpu(struct selftest *run);
void selftest_guest(struct selftest *run);
void selftest_iommu(struct selftest *run);
void selftest_memory(struct selftest *run);
