// SPDX-License-Identifier: BSD-2-Clause
// Copy, fill and compare. The compiler calls these four by name; host programs get the C library's.
#pragma once

#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
// Zeroes. start and size are multiples of 8.
static inline void memory_clear(void *start, size_t size) {
	size /= 8;
	asm volatile("rep stosq" : "+D"(start), "+c"(size) : "a"(0ul) : "memory");
}

int memcmp(const void *first, const void *second, size_t size);

// A number that a program, or a device, may change at any time: one value, however often it is
// used.
#define READ_ONCE(number) (*(const volatile typeof(number) *)&(number))
