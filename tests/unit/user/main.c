// SPDX-License-Identifier: BSD-2-Clause
// Runs the tests of base helpers, components and the initial task's pure parts; a line each.
#include "test.h"

#include <stdio.h>

static const struct tests *const groups[] = {&format_tests, &memory_tests, &elf_tests, &ring_tests,
	&block_tests, &ata_tests, &ahci_tests, &multiplexer_tests, &keyboard_tests, &timer_tests,
	&image_tests, &symbols_tests, &report_tests, &settings_tests, &pci_tests, &e1000_tests,
	&network_tests, &vswitch_tests, &echo_tests};

// Failed checks of the test that runs now.
static unsigned failures;

void test_check(int holds, const char *expression, const char *file, int line) {
	if (holds) return;
	failures++;
	printf("  %s:%d: not true: %s\n", file, line, expression);
}

int main(void) {
	int status = 0;

	for (size_t i = 0; i < array_count(groups); i++) {
		for (size_t j = 0; j < groups[i]->count; j++) {
			const struct test *test = &groups[i]->rows[j];

			failures = 0;
			test->run();
			printf("%s %s %s\n", failures ? "FAIL" : "ok", test->id, test->sentence);
			status |= failures != 0;
		}
	}
	return status;
}
