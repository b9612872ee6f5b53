// SPDX-License-Identifier: BSD-2-Clause
// Everything the kernel can change, as one piece of memory to save, restore and compare: the
// objects (world.h), and all static data of this program, that is the kernel's and that of the
// machine below it (host.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_REGIONS = 2 };

struct memory_region {
	uint64_t *start;
	size_t words;
};

struct memory {
	struct memory_region regions[MEMORY_REGIONS];
	size_t words; // of all
};

// objects: what world_make has taken.
struct memory memory_of(void *objects, size_t size);

// A copy has memory->words words.
void memory_save(const struct memory *memory, uint64_t *copy);
void memory_restore(const struct memory *memory, const uint64_t *copy);
bool memory_is(const struct memory *memory, const uint64_t *copy);

// The word of a copy that belongs to an address, and the address of a word.
uint64_t *memory_word(const struct memory *memory, uint64_t *copy, const void *address);
const uint64_t *memory_address(const struct memory *memory, size_t word);
