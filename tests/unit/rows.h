// SPDX-License-Identifier: BSD-2-Clause
// A unit test on the host is an id, a sentence and a function.
#pragma once

#include <stddef.h>

struct test {
	const char *id;
	const char *sentence;
	void (*run)(void);
};

// The rows of one file of a larger program.
struct tests {
	const struct test *rows;
	size_t count;
};
