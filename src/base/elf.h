// SPDX-License-Identifier: BSD-2-Clause
// Reader of 64-bit x86-64 executables in memory. elf_open checks everything; after it succeeded the
// segments can be walked without further errors.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum elf_error {
	ELF_OK,
	ELF_TRUNCATED, // shorter than its headers say
	ELF_NOT_ELF, // wrong magic
	ELF_WRONG_MACHINE, // not 64-bit little-endian x86-64
	ELF_NOT_EXECUTABLE,
	ELF_BAD_SEGMENT, // segment outside the file, wrapping, or larger in the file than in memory
	ELF_NO_SEGMENT, // nothing to load
	ELF_BAD_ENTRY, // entry point in no executable segment
	ELF_ERROR_COUNT,
};

enum elf_segment_flags {
	ELF_EXECUTE = 1 << 0,
	ELF_WRITE = 1 << 1,
	ELF_READ = 1 << 2,
};

struct elf_image {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t entry;
	uint64_t headers; // offset of the program headers
	unsigned count; // program headers of any type
};

struct elf_segment {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t memory_size; // not 0
	const uint8_t *data;
	uint64_t data_size; // at most memory_size; the rest is zero
	uint32_t flags; // enum elf_segment_flags
};

[[nodiscard]] enum elf_error elf_open(struct elf_image *image, const void *bytes, uint64_t size);

// The next loadable segment at or after header *cursor (start with 0); false at the end.
bool elf_next(const struct elf_image *image, unsigned *cursor, struct elf_segment *segment);

// Lowest address and end of all loadable segments.
void elf_span(const struct elf_image *image, uint64_t *start, uint64_t *end);

// A few words that complete "the executable ...".
const char *elf_error_text(enum elf_error error);
