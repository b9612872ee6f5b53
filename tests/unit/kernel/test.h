// SPDX-License-Identifier: BSD-2-Clause
// Tables of tests, and what a test may use.
#pragma once

#include "../rows.h"

#include <base/compiler.h>
#include <stdint.h>

#define TESTS(name) const struct tests name = {rows, array_count(rows)}

extern const struct tests benchmark_tests;
extern const struct tests bound_tests;
extern const struct tests stopped_tests;
extern const struct tests boot_tests;
extern const struct tests boot_memory_tests;
extern const struct tests cnode_tests;
extern const struct tests cores_tests;
extern const struct tests cspace_tests;
extern const struct tests delete_tests;
extern const struct tests derive_tests;
extern const struct tests fetch_tests;
extern const struct tests ipc_tests;
extern const struct tests irq_tests;
extern const struct tests message_tests;
extern const struct tests refill_tests;
extern const struct tests untyped_tests;

void test_check(int holds, const char *expression, const char *file, int line);

// A failed check is reported and ends the test.
#define check(expression) test_check(!!(expression), #expression, __FILE__, __LINE__)

// Blocks of code that ran since the last call (steps.c).
uint64_t steps_taken(void);

// Numbers that are the same in every run.
uint64_t random_next(void);
unsigned random_below(unsigned limit);
