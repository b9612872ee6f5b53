// SPDX-License-Identifier: BSD-2-Clause
// Faults planted into the kernel (plant.py).
#pragma once

#include <stdbool.h>

struct planted {
	const char *name; // null: the end
	const char *scenario; // that must fail
	const char *sentence;
	bool is_there; // false: its text is not in the kernel any more
};

extern const struct planted faults[];
extern int planted_fault; // the number of the row that is in effect, from 1 on; 0: none
