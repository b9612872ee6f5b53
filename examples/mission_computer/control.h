// SPDX-License-Identifier: BSD-2-Clause
// What the control loop shows of itself, in a page that only it can write.
#pragma once

#include "deadlines.h"

enum {
	PERIODS_PER_SECOND = 1000,
	MILLIMETRE = 1000000, // nanometres
};

struct control_page {
	struct deadlines deadlines;
	int64_t height; // nanometres; held at a metre
};
