// SPDX-License-Identifier: BSD-2-Clause
// Runs every row of every file, or those whose id begins with the argument, each in a process of
// its own because the kernel starts only once, and prints a line each.
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EXIT_NOT_SO = 77,
};

static uint64_t random_state = 0x123456789abcdef;

uint64_t random_next(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

unsigned random_below(unsigned limit) { return (unsigned)(random_next() >> 32) % limit; }

void test_check(int holds, const char *expression, const char *file, int line) {
	if (holds) return;
	printf("%s:%d: not so: %s\n", file, line, expression);
	fflush(stdout);
	_exit(EXIT_NOT_SO);
}

static int test_run(const struct test *test) {
	int status = 1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		test->run();
		fflush(stdout);
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int count, char **arguments) {
	static const struct tests *const all[] = {&cspace_tests, &derive_tests, &delete_tests,
		&cnode_tests, &untyped_tests, &irq_tests, &boot_memory_tests, &boot_tests,
		&message_tests, &fetch_tests, &refill_tests, &ipc_tests, &bound_tests,
		&stopped_tests, &benchmark_tests, &cores_tests};
	const char *wanted = count > 1 ? arguments[1] : "";
	unsigned failed = 0;

	for (size_t i = 0; i < array_count(all); i++) {
		for (size_t j = 0; j < all[i]->count; j++) {
			const struct test *test = &all[i]->rows[j];
			int ok;

			if (strncmp(test->id, wanted, strlen(wanted)) != 0) continue;
			ok = test_run(test);
			printf("%s %s %s\n", ok ? "ok" : "FAIL", test->id, test->sentence);
			failed += !ok;
		}
	}
	return failed != 0;
}
