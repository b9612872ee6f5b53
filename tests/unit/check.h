// SPDX-License-Identifier: BSD-2-Clause
// The checks of a unit test; a failed one names its line.
#pragma once

#include "rows.h"

#include <stdbool.h>
#include <stdint.h>

#define check(condition) check_true((condition), __FILE__, __LINE__, #condition)
#define check_equal(actual, expected) \
	check_same((uint64_t)(actual), (uint64_t)(expected), __FILE__, __LINE__, #actual)

void check_true(bool holds, const char *file, int line, const char *text);
void check_same(uint64_t actual, uint64_t expected, const char *file, int line, const char *text);
// Says what the checks from here to the end of the test are about; printed when one fails.
void check_about(const char *subject);
// Runs them all and prints a line each; the result is the program's exit status.
int check_run(const struct test *tests, size_t count);
