// SPDX-License-Identifier: BSD-2-Clause
// Constants shared by producer and consumers of the ring measurement.
#pragma once

#include <nacre/ring.h>

enum {
	ITEMS = 32768, // of a figure
};

struct item {
	uint64_t number;
	uint64_t check;
};
