// SPDX-License-Identifier: BSD-2-Clause
// The screen at start-up: from the loader's description to where the kernel's tables show it.
#pragma once

#include <boot/boot.h>

// The loader's, if it can be used and is not where RAM is; it is written as soon as the first
// tables show its memory.
void framebuffer_find(struct screen *screen, const struct boot_facts *facts);

// Memory below the limit is shown now: it is written in any case, and a line says where it is.
void framebuffer_mapped(struct screen *screen, uint64_t limit);
