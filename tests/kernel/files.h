// SPDX-License-Identifier: BSD-2-Clause
// The test files of a program in the order they run: what later tests rely on comes first.
#pragma once

#include "test.h"

extern const struct test_file *const test_files[];
extern const size_t test_file_count;

#define FILE_DECLARE(name) extern const struct test_file test_file_##name;
#define FILE_ADDRESS(name) &test_file_##name,
#define TEST_FILES_DEFINE(FILES) \
	FILES(FILE_DECLARE) \
	const struct test_file *const test_files[] = {FILES(FILE_ADDRESS)}; \
	const size_t test_file_count = array_count(test_files)
