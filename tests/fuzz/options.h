// SPDX-License-Identifier: BSD-2-Clause
// What a boot module of text asks for: "seed=S count=N".
#pragma once

#include <sel4/sel4.h>

struct options {
	uint64_t seed;
	uint64_t count; // system calls
};

// Changes what the module names and leaves the rest.
void options_read(const seL4_BootInfo *bootinfo, struct options *options);
