// SPDX-License-Identifier: BSD-2-Clause
// A unit test is an id, a sentence and a function; a failed CHECK names its line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
	const char *id;
	const char *sentence;
	void (*run)(void);
};

#define CHECK(condition) check_note((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(actual, expected) \
	check_equal((uint64_t)(actual), (uint64_t)(expected), __LINE__, #actual)

void check_note(bool passed, const char *file, int line, const char *text);
void check_equal(uint64_t actual, uint64_t expected, int line, const char *text);
// Runs them all and prints a line each; the result is the program's exit status.
int check_run(const struct test *tests, size_t count);
