// SPDX-License-Identifier: BSD-2-Clause
// The test table and the checks. A failing check prints where and what, and ends its test; the run
// continues. Checks belong to the main thread; helper threads leave their observations in memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/error.h>
#include <base/compiler.h>

struct words {
	unsigned count;
	const uint64_t *items;
};

// A literal list of words, also an empty one.
#define WORDS(...) \
	((struct words){sizeof((uint64_t[]){0 __VA_OPT__(, ) __VA_ARGS__}) / sizeof(uint64_t) - 1, \
		(const uint64_t[]){0 __VA_OPT__(, ) __VA_ARGS__} + 1})
#define CAPS(...) WORDS(__VA_ARGS__)

enum { MESSAGE_WORDS_KEPT = 24 };

// What a system call left behind: an incoming message or the answer to an invocation.
struct message {
	uint64_t badge;
	uint64_t tag;
	uint64_t label; // of an answer: enum error
	unsigned length;
	unsigned caps;
	unsigned unwrapped;
	uint64_t words[MESSAGE_WORDS_KEPT];
};

struct test {
	const char *id;
	const char *sentence;
	void (*run)(void);
	// Rows of rows.txt that it covers, as "UntypedRetype/13 ...", or NULL.
	const char *rows;
};

struct test_file {
	const char *name;
	const struct test *tests;
	size_t count;
	unsigned attempts;
};

#define TEST_FILE(title) \
	const struct test_file test_file_##title = {#title, tests, array_count(tests), 1}

// Tests that measure time are tried again: an emulator shares its processor with others, and its
// guest is charged for the time it did not get.
#define TEST_FILE_TIMED(title) \
	const struct test_file test_file_##title = {#title, tests, array_count(tests), 5}

struct place {
	const char *file;
	int line;
};

#define HERE ((struct place){__FILE_NAME__, __LINE__})

[[gnu::noreturn, gnu::format(printf, 2, 3)]] void test_fail(
	struct place place, const char *format, ...);
[[gnu::noreturn]] void test_skip(const char *why);
// Whether programs may use RDFSBASE and its like (CPUID.7.0:EBX bit 0).
bool test_has_fsgsbase(void);

void check_equal(struct place place, const char *what, uint64_t actual, uint64_t expected);
void check_between(struct place place, const char *what, uint64_t actual, const uint64_t range[2]);
// The error and its payload are exactly these: length, and each word.
void check_answer(
	struct place place, const struct message *answer, enum error error, struct words payload);
void check_ok(struct place place, const struct message *answer);

#define CHECK(condition) \
	do { \
		if (!(condition)) test_fail(HERE, "%s", #condition); \
	} while (0)
#define CHECK_EQUAL(actual, expected) \
	check_equal(HERE, #actual, (uint64_t)(actual), (uint64_t)(expected))
#define CHECK_BETWEEN(actual, low, high) \
	check_between(HERE, #actual, (uint64_t)(actual), (const uint64_t[2]){(low), (high)})
#define CHECK_OK(invocation) \
	do { \
		struct message answer_ = (invocation); \
		check_ok(HERE, &answer_); \
	} while (0)
#define CHECK_ERROR(invocation, error, ...) \
	do { \
		struct message answer_ = (invocation); \
		check_answer(HERE, &answer_, (error), WORDS(__VA_ARGS__)); \
	} while (0)

// Helpers get time until the condition holds; for what must happen, but not at once.
#define CHECK_SOON(condition) \
	do { \
		for (unsigned left_ = 2000; !(condition); left_--) { \
			if (left_ == 0) test_fail(HERE, "not in time: %s", #condition); \
			sleep_microseconds(1000); \
		} \
	} while (0)
