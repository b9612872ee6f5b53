// SPDX-License-Identifier: BSD-2-Clause
// Copies between memory and its copies. Static data lies between guards of the address sanitizer,
// so these functions are out of its sight.
#include "memory.h"

extern uint64_t __data_start[], _end[]; // of this program's data and bss, by the linker

struct memory memory_of(void *objects, size_t size) {
	size_t data = (size_t)(_end - __data_start);

	return (struct memory){
		.regions = {{objects, size / 8}, {__data_start, data}}, .words = size / 8 + data};
}

static void words_copy(void *to, const void *from, size_t words) {
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

__attribute__((no_sanitize("address", "undefined"))) static uint64_t words_difference(
	const uint64_t *one, const uint64_t *other, size_t words) {
	uint64_t difference = 0;

	for (size_t i = 0; i < words; i++)
		difference |= one[i] ^ other[i];
	return difference;
}

void memory_save(const struct memory *memory, uint64_t *copy) {
	for (unsigned i = 0; i < MEMORY_REGIONS; i++) {
		words_copy(copy, memory->regions[i].start, memory->regions[i].words);
		copy += memory->regions[i].words;
	}
}

void memory_restore(const struct memory *memory, const uint64_t *copy) {
	for (unsigned i = 0; i < MEMORY_REGIONS; i++) {
		words_copy(memory->regions[i].start, copy, memory->regions[i].words);
		copy += memory->regions[i].words;
	}
}

bool memory_is(const struct memory *memory, const uint64_t *copy) {
	uint64_t difference = 0;

	for (unsigned i = 0; i < MEMORY_REGIONS; i++) {
		const struct memory_region *region = &memory->regions[i];

		difference |= words_difference(region->start, copy, region->words);
		copy += region->words;
	}
	return !difference;
}

uint64_t *memory_word(const struct memory *memory, uint64_t *copy, const void *address) {
	for (unsigned i = 0; i < MEMORY_REGIONS; i++) {
		const struct memory_region *region = &memory->regions[i];
		size_t at = (size_t)((const uint64_t *)address - region->start);

		if (at < region->words) return copy + at;
		copy += region->words;
	}
	return NULL;
}

const uint64_t *memory_address(const struct memory *memory, size_t word) {
	unsigned i = word >= memory->regions[0].words;

	return memory->regions[i].start + word - (i ? memory->regions[0].words : 0);
}
