// SPDX-License-Identifier: BSD-2-Clause
// Runs unit tests and prints their lines.
#include "check.h"

#include <stdio.h>

static unsigned failures; // of the test that runs now

void check_note(bool passed, const char *file, int line, const char *text) {
	if (passed) return;
	failures++;
	printf("  %s:%d: not true: %s\n", file, line, text);
}

void check_equal(uint64_t actual, uint64_t expected, int line, const char *text) {
	if (actual == expected) return;
	failures++;
	printf("  line %d: %s is %#llx, expected %#llx\n", line, text, (unsigned long long)actual,
		(unsigned long long)expected);
}

int check_run(const struct test *tests, size_t count) {
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		failures = 0;
		tests[i].run();
		printf("%s %s %s\n", failures == 0 ? "ok" : "FAIL", tests[i].id, tests[i].sentence);
		status |= failures != 0;
	}
	return status;
}
