// SPDX-License-Identifier: BSD-2-Clause
// Map operations with all rights, and what they may answer.
#pragma once

#include "world.h"

#define RW (RIGHT_READ | RIGHT_WRITE)

enum {
	KIB4 = PAGE_BITS,
	MIB2 = LARGE_PAGE_BITS,
	GIB1 = HUGE_PAGE_BITS,
};

enum error map(struct slot *frame, struct slot *root, uint64_t address);
enum error map_guest(struct slot *frame, struct slot *root, uint64_t address); // write-back
enum error map_table(struct slot *table, struct slot *root, uint64_t address);

uint64_t payload(void);
bool is_capability(enum error error, uint64_t number);
bool is_argument(enum error error, uint64_t number);
bool is_missing(enum error error, uint64_t bits);
bool is_invalid_root(enum error error);

// A capability to a root whose ASID has gone to another root; and whose ASID names nothing any
// more.
struct slot *robbed_space(enum object_type type);
struct slot *lost_space(enum object_type type);
