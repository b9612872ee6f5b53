// SPDX-License-Identifier: BSD-2-Clause
// Prints more lines than a screen has.
#include <microkit.h>

#include <nacre/print.h>

enum { LINES = 200 };

void init(void) {
	for (unsigned i = 1; i <= LINES; i++)
		print("line %u\n", i);
}

void notified(microkit_channel) {}
