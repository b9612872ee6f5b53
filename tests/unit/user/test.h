// SPDX-License-Identifier: BSD-2-Clause
// Rows of tests, and what a test may ask.
#pragma once

#include <base/compiler.h>
#include <stddef.h>

struct test {
	const char *id;
	const char *sentence;
	void (*run)(void);
};

struct tests {
	const struct test *rows;
	size_t count;
};

extern const struct tests format_tests;
extern const struct tests memory_tests;
extern const struct tests elf_tests;
extern const struct tests ring_tests;
extern const struct tests block_tests;
extern const struct tests ata_tests;
extern const struct tests ahci_tests;
extern const struct tests multiplexer_tests;
extern const struct tests keyboard_tests;
extern const struct tests timer_tests;
extern const struct tests image_tests;
extern const struct tests symbols_tests;
extern const struct tests report_tests;
extern const struct tests settings_tests;
extern const struct tests pci_tests;
extern const struct tests e1000_tests;
extern const struct tests network_tests;
extern const struct tests vswitch_tests;
extern const struct tests echo_tests;

void test_check(int holds, const char *expression, const char *file, int line);

#define check(expression) test_check(!!(expression), #expression, __FILE__, __LINE__)
