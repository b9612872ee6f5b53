// SPDX-License-Identifier: BSD-2-Clause
// A test is an id, a sentence and a function. A failed check prints where and what; the test counts
// as failed and runs to its end.
#pragma once

#include <base/compiler.h>
#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *id;
	const char *sentence;
	void (*run)(const struct test *test);
	const void *data; // for functions that serve several rows
};

struct test_file {
	const struct test *tests;
	unsigned count;
};

#define TEST_FILE(name) const struct test_file name = {tests, array_count(tests)}

// True if actual is what was expected; else the running test has failed.
bool check_equal(const char *place, const char *what, uint64_t actual, uint64_t expected);

// Ends the running test as skipped when it returns; why is one clause.
void test_skip(const char *why);

#define TEST_TEXT(line) #line
#define TEST_LINE(line) TEST_TEXT(line)
#define PLACE __FILE__ ":" TEST_LINE(__LINE__)
#define CHECK_EQUAL(actual, expected) \
	check_equal(PLACE, #actual, (uint64_t)(actual), (uint64_t)(expected))
#define CHECK(condition) check_equal(PLACE, #condition, !!(condition), 1)
