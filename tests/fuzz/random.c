// SPDX-License-Identifier: BSD-2-Clause
// Xorshift, and values worth trying.
#include "random.h"

#include <abi/syscall.h>
#include <base/compiler.h>

static uint64_t state; // never 0

void random_seed(uint64_t seed) {
	// Small seeds must not begin alike.
	state = (seed + 1) * 0x9e3779b97f4a7c15ul;
	if (state == 0) state = 1;
}

uint64_t random_next(void) {
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

unsigned random_below(unsigned bound) { return (unsigned)((random_next() >> 32) * bound >> 32); }

bool random_once_in(unsigned times) { return random_below(times) == 0; }

static uint64_t edge_any(void) {
	static const uint64_t edges[] = {0x7fffffffffff, 0x800000000000, 0x7ffffffff000,
		0xffff800000000000, 0xffffffff80000000, 0xfffffffffffff000, 0xfee00000, 0xffff,
		0x10000, 0xffffffff, 0x100000000, 0x7fffffff, 0x8000000000000000};

	switch (random_below(6)) {
	case 0: return 0;
	case 1: return 1ul << random_below(64);
	case 2: return (1ul << random_below(64)) - random_below(3);
	case 3: return -(uint64_t)random_below(40);
	case 4: return edges[random_below(array_count(edges))];
	default: return random_next() >> random_below(64);
	}
}

uint64_t random_edge(void) {
	uint64_t value = edge_any();

	// As a system call number it would halt the machine, as asked.
	return value == (uint64_t)SYSCALL_DEBUG_HALT ? 0 : value;
}
