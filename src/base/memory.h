// SPDX-License-Identifier: BSD-2-Clause
// Copy, fill and compare. The compiler calls these four by name; host programs get the C library's.
#pragma once

#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *first, const void *second, size_t size);
