// SPDX-License-Identifier: BSD-2-Clause
// What base/memory.c defines, beside the C library's of the same names: meson.build renames ours.
#pragma once

#include <stddef.h>

void *tested_memcpy(void *target, const void *source, size_t size);
void *tested_memmove(void *target, const void *source, size_t size);
void *tested_memset(void *target, int value, size_t size);
int tested_memcmp(const void *first, const void *second, size_t size);
