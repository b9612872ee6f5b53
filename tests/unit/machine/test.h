// SPDX-License-Identifier: BSD-2-Clause
// Each file brings its rows.
#pragma once

#include "../check.h"

extern const struct tests acpi_tests, clock_tests, console_tests, screen_tests, dmar_tests,
	ivrs_tests, remap_tests;
