// SPDX-License-Identifier: BSD-2-Clause
// Runs every row of every file and prints a line each.
#include "test.h"
#include "world.h"

#include <stdio.h>

static unsigned failures;

void test_check(int holds, const char *expression, const char *file, int line) {
	if (holds) return;
	failures++;
	printf("%s:%d: not so: %s\n", file, line, expression);
}

int main(void) {
	static const struct tests *const all[] = {
		&paging_tests, &mapping_tests, &asid_tests, &port_tests, &stale_tests};
	unsigned failed = 0;

	for (size_t i = 0; i < array_count(all); i++) {
		for (size_t j = 0; j < all[i]->count; j++) {
			const struct test *test = &all[i]->rows[j];

			failures = 0;
			world_reset();
			test->run();
			printf("%s %s %s\n", failures ? "FAIL" : "ok", test->id, test->sentence);
			failed += failures != 0;
		}
	}
	return failed != 0;
}
