// SPDX-License-Identifier: BSD-2-Clause
// The test program: an initial task that runs every test, prints a line for each and ends the
// emulator's run. Without VT-x every line says SKIP and why.
#include <user/print.h>
#include <user/root/root.h>

#include "guest.h"
#include "helper.h"
#include "test.h"

extern const struct test_file test_exits, test_state, test_events, test_errors, test_objects,
	test_stops, test_exceptions, test_page, test_page_change, test_page_values;

static const struct test_file *const files[] = {&test_exits, &test_state, &test_events,
	&test_errors, &test_objects, &test_stops, &test_exceptions, &test_page, &test_page_change,
	&test_page_values};

// Of the running test; written by the checks and run_test.
static unsigned failures;
static const char *skip_reason;

bool check_equal(const char *place, const char *what, uint64_t actual, uint64_t expected) {
	if (actual == expected) return true;
	print("  %s: %s is %lx, expected %lx\n", place, what, actual, expected);
	failures++;
	return false;
}

// Ids of tests that the emulator cannot run, each behind a space: written into the program by who
// starts it (tools/nacre/test/machine_tests.py).
static volatile char left_out[2048] = "tests left out:";

static bool is_left_out(const char *id) {
	for (const volatile char *at = left_out; *at; at++) {
		unsigned i = 0;

		while (id[i] && at[1 + i] == id[i])
			i++;
		if (*at == ' ' && !id[i] && (at[1 + i] == ' ' || !at[1 + i])) return true;
	}
	return false;
}

void test_skip(const char *why) { skip_reason = why; }

static void run_test(const struct test *test, const char *missing) {
	failures = 0;
	skip_reason = is_left_out(test->id) ? "this emulator cannot run it" : missing;
	if (!skip_reason) test->run(test);
	if (failures)
		print("FAIL %s %s\n", test->id, test->sentence);
	else if (skip_reason)
		print("SKIP %s %s\n", test->id, skip_reason);
	else
		print("PASS %s %s\n", test->id, test->sentence);
}

void root_main(const seL4_BootInfo *bootinfo) {
	const char *missing = guest_start();

	if (!missing && !helper_start(bootinfo)) missing = "no memory for the helper thread";
	for (unsigned i = 0; i < array_count(files); i++) {
		for (unsigned j = 0; j < files[i]->count; j++)
			run_test(&files[i]->tests[j], missing);
	}
	print("tests done\n");
	machine_exit(0);
}
