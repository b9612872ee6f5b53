// SPDX-License-Identifier: BSD-2-Clause
// What became of the system, in words: equal if and only if programs can tell no difference, now or
// later.
#pragma once

enum { OUTCOME_SIZE = 8192 };

void outcome_write(char *text);
