// SPDX-License-Identifier: BSD-2-Clause
// Copy, fill and compare by string instructions: words for the bulk, bytes for the rest. Loops in C
// would be turned into calls of the functions they implement.
#include <base/memory.h>

#include <base/compiler.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size) {
	void *to = target;
	size_t words = size / 8;
	size_t rest = size % 8;

	asm volatile("rep movsq" : "+D"(to), "+S"(source), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(rest) : : "memory");
	return target;
}

void *memmove(void *target, const void *source, size_t size) {
	void *to = (char *)target + size - 1;

	// Unsigned distance: a target below the source, or past its end, is safe to copy upwards.
	if ((uintptr_t)target - (uintptr_t)source >= size) return memcpy(target, source, size);
	source = (const char *)source + size - 1;
	asm volatile("std; rep movsb; cld" : "+D"(to), "+S"(source), "+c"(size) : : "memory", "cc");
	return target;
}

void *memset(void *target, int value, size_t size) {
	void *to = target;
	uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;
	size_t words = size / 8;
	size_t rest = size % 8;

	asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
	return target;
}

int memcmp(const void *first, const void *second, size_t size) {
	const uint8_t *left = first, *right = second;

	for (size_t i = 0; i < size; i++)
		if (left[i] != right[i]) return left[i] - right[i];
	return 0;
}
