// SPDX-License-Identifier: BSD-2-Clause
// Reader of 64-bit x86-64 executables in memory. elf_open checks everything; after it succeeded the
// segments can be walked without further errors.
#pragma once

#include <base/compiler.h>

struct elf_image {
	const uint8_t *bytes;
	uint64_t entry;
	uint64_t headers; // offset of the program headers
	unsigned count; // program headers of any type
	uint64_t start, end; // of all loadable segments
};

// A program header.
struct elf_segment {
	uint32_t type, flags;
	uint64_t offset; // into the image's bytes
	uint64_t vaddr, paddr;
	uint64_t file_size; // at most memory_size; the rest is zero
	uint64_t memory_size; // not 0
	uint64_t alignment;
};

// Null, or a few words that complete "the executable ...".
[[nodiscard]] const char *elf_open(struct elf_image *image, const void *bytes, uint64_t size);

// The next loadable segment at or after header *cursor (start with 0); false at the end.
[[nodiscard]] bool elf_next(
	const struct elf_image *image, unsigned *cursor, struct elf_segment *segment);
