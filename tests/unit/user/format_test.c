// SPDX-License-Identifier: BSD-2-Clause
// Formatted text against what the C library writes.
#include "test.h"

#include <base/format.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define check_same(...) \
	do { \
		char ours[80]; \
		char theirs[80]; \
		int ours_count = format_text(ours, sizeof(ours), __VA_ARGS__); \
		int theirs_count = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		check(ours_count == theirs_count); \
		check(strcmp(ours, theirs) == 0); \
	} while (0)

static void numbers(void) {
	check_same("%d %d %u", -5, 7, 4000000000u);
	check_same("%ld %lu %ld %lu", INT64_MIN, UINT64_MAX, -1l, 1ul);
	check_same("%x %08x %%", 0xbeefu, 0x1fu);
	check_same("%016lx", 0x123456789abcul);
}

static void fields(void) {
	check_same("[%5d][%-5d][%05d]", 42, 42, -42);
	check_same("[%8s][%-8s][%.2s][%c]", "abc", "abc", "abc", 'z');
	check_same("[%5lu][%.*s]", 6ul, 1, "xyz");
	check_same("%p", (void *)0x1234);
	check_same("plain");
}

static void truncation(void) {
	char text[4] = "xxx";

	check(format_text(text, sizeof(text), "abcdef") == 6);
	check(strcmp(text, "abc") == 0);
	check(format_text(text, 0, "abc") == 3);
	check(format_text(text, 1, "abc") == 3 && text[0] == 0);
}

static void oddities(void) {
	char text[16];

	const char *volatile unknown = "%y %";
	const char *volatile string = "%s";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	format_text(text, sizeof(text), unknown);
	check(strcmp(text, "%y ") == 0);
	// Through a variable format, for which the compiler cannot see the null pointer.
	format_text(text, sizeof(text), string, NULL);
#pragma GCC diagnostic pop
	check(strcmp(text, "(null)") == 0);
}

static const struct test rows[] = {
	{"user/format/numbers", "numbers of all lengths and bases match the C library", numbers},
	{"user/format/fields", "widths, padding, alignment and precision match", fields},
	{"user/format/truncation", "a short buffer gets what fits and a NUL", truncation},
	{"user/format/oddities", "unknown conversions and null strings are harmless", oddities},
};

const struct tests format_tests = {rows, array_count(rows)};
