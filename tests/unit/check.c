// SPDX-License-Identifier: BSD-2-Clause
// Runs unit tests and prints their lines.
#include "check.h"

#include <stdio.h>

// Of the test that runs now.
static unsigned failures;
static const char *about;

static void failed(const char *file, int line) {
	failures++;
	printf("  %s:%d: ", file, line);
	if (about) printf("%s: ", about);
}

void check_true(bool holds, const char *file, int line, const char *text) {
	if (holds) return;
	failed(file, line);
	printf("not true: %s\n", text);
}

void check_same(uint64_t actual, uint64_t expected, const char *file, int line, const char *text) {
	if (actual == expected) return;
	failed(file, line);
	printf("%s is %#llx, expected %#llx\n", text, (unsigned long long)actual,
		(unsigned long long)expected);
}

void check_about(const char *subject) { about = subject; }

int check_run(const struct test *tests, size_t count) {
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		failures = 0;
		about = NULL;
		tests[i].run();
		printf("%s %s %s\n", failures ? "FAIL" : "ok", tests[i].id, tests[i].sentence);
		status |= failures != 0;
	}
	return status;
}
