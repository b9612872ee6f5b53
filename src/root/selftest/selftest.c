// SPDX-License-Identifier: BSD-2-Clause
// The list of tests, and what is printed of them: a line for each failure, in full also for each
// test, and one at the end.
#include <root/selftest/selftest.h>

#include <stdarg.h>

#include <abi/bootinfo.h>
#include <base/compiler.h>

#include <root/options.h>
#include <root/scratch.h>
#include <root/selftest/alarm.h>
#include <root/selftest/workers.h>

#include <user/print.h>
#include <x86/instructions.h>

static const struct row {
	const char *name;
	const char *sentence; // what holds when it has passed
	void (*test)(struct selftest *run);
} rows[] = {
	{"timer", "the timer wakes a thread in time, and the clocks agree", selftest_timer},
	{"ipi", "each core answers a signal", selftest_ipi},
	{"tlb", "no core sees a page that is unmapped", selftest_tlb},
	{"fpu", "FPU registers survive other threads and a change of core", selftest_fpu},
	{"guest", "a guest runs to its exits", selftest_guest},
	{"iommu", "a device writes no memory that it was not given", selftest_iommu},
	{"memory", "memory keeps patterns", selftest_memory},
};

void selftest_fail(struct selftest *run, const char *format, ...) {
	va_list arguments;

	run->failures++;
	print("selftest: %s FAILED: ", run->name);
	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
	print("\n");
}

void selftest_fail_core(struct selftest *run, seL4_Word core, const char *format, ...) {
	va_list arguments;

	run->failures++;
	run->faults.cores |= 1ul << core;
	print("selftest: %s FAILED: core %lu: ", run->name, core);
	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
	if (core == 0)
		print("; all the rest needs this core; try the entry `safe`\n");
	else
		print("; the core is not used; try the entry `safe`, or cores=%lu\n", core);
}

void selftest_skip(struct selftest *run, const char *reason) { run->reason = reason; }

bool selftest_may_use(const struct selftest *run, seL4_Word core) {
	return core < WORKERS && !(run->faults.cores >> core & 1);
}

struct counts {
	unsigned passed, failed, untried;
};

static void run_row(struct selftest *run, const struct row *row, struct counts *counts) {
	run->name = row->name;
	run->failures = 0;
	run->reason = NULL;
	row->test(run);
	if (run->failures > 0)
		counts->failed++;
	else if (run->reason)
		counts->untried++;
	else
		counts->passed++;
	if (!run->is_full || run->failures > 0) return;
	if (run->reason)
		print("selftest: %s not tried: %s\n", row->name, run->reason);
	else
		print("selftest: %s passed: %s\n", row->name, row->sentence);
}

static void print_end(const struct selftest *run, const struct counts *counts, uint64_t start) {
	print("selftest: %s: %u passed, %u failed, %u not tried, in %lu us\n",
		run->is_full ? "full" : "quick", counts->passed, counts->failed, counts->untried,
		(tsc_read_ordered() - start) / alarm_ticks());
}

struct selftest_faults selftest_run(const seL4_BootInfo *bootinfo) {
	enum bootinfo_self_test wanted = options_of(bootinfo).self_test;
	struct selftest run = {.bootinfo = bootinfo, .is_full = wanted == SELF_TEST_FULL};
	uint64_t start = tsc_read_ordered();
	struct counts counts = {0};
	bool is_made;

	if (wanted == SELF_TEST_OFF) return run.faults;
	is_made = workers_make(&run);
	for (unsigned i = 0; is_made && i < array_count(rows); i++)
		run_row(&run, &rows[i], &counts);
	workers_end(&run);
	if (!run.faults.keeps_all) scratch_end();
	if (is_made)
		print_end(&run, &counts, start);
	else
		print("selftest: too little memory for any test\n");
	return run.faults;
}
