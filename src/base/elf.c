// SPDX-License-Identifier: BSD-2-Clause
// Reader of 64-bit x86-64 executables (System V ABI, chapter 4 and 5; x86-64 supplement). The bytes
// may be hostile and unaligned: headers are copied out before use, every sum is checked.
#include <base/elf.h>

#include <base/bits.h>

enum {
	ELF_CLASS_64 = 2,
	ELF_DATA_LITTLE = 1,
	ELF_TYPE_EXECUTABLE = 2,
	ELF_MACHINE_X86_64 = 62,
	ELF_PROGRAM_LOAD = 1,
	ELF_EXECUTE = 1, // segment flag
	ELF_MAX_HEADERS = 64,
};

struct elf_header {
	uint8_t magic[4], class, data, version, padding[9];
	uint16_t type, machine;
	uint32_t object_version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t header_size, program_entry_size, program_count;
	uint16_t section_entry_size, section_count, section_names;
};

_Static_assert(sizeof(struct elf_header) == 64);
_Static_assert(sizeof(struct elf_segment) == 56);

static const char truncated[] = "is shorter than its headers say";
static const char malformed[] = "has a malformed segment";

static const char *header_check(const struct elf_header *header, uint64_t size) {
	if (memcmp(header->magic, "\177ELF", 4) != 0) return "is not an ELF file";
	if (header->class != ELF_CLASS_64 || header->data != ELF_DATA_LITTLE ||
		header->machine != ELF_MACHINE_X86_64)
		return "is not for 64-bit x86";
	if (header->type != ELF_TYPE_EXECUTABLE) return "is not a statically linked executable";
	if (header->program_entry_size != sizeof(struct elf_segment) ||
		header->program_count > ELF_MAX_HEADERS)
		return malformed;
	if (!range_fits(header->program_offset,
		    (uint64_t)header->program_count * sizeof(struct elf_segment), size))
		return truncated;
	return NULL;
}

static const char *segment_check(const struct elf_segment *segment, uint64_t size) {
	if (!range_fits(segment->offset, segment->file_size, size)) return truncated;
	// The page after the segment must be addressable too, so that rounding up cannot wrap.
	if (segment->file_size > segment->memory_size ||
		!range_fits(segment->vaddr, segment->memory_size, ~0ul - 0x200000))
		return malformed;
	return NULL;
}

const char *elf_open(struct elf_image *image, const void *bytes, uint64_t size) {
	struct elf_header header;
	struct elf_segment segment;
	const char *error;
	unsigned cursor = 0;
	bool entry_found = false;

	if (size < sizeof(header)) return truncated;
	memcpy(&header, bytes, sizeof(header));
	error = header_check(&header, size);
	if (error) return error;
	*image = (struct elf_image){
		bytes, header.entry, header.program_offset, header.program_count, ~0ul, 0};
	while (elf_next(image, &cursor, &segment)) {
		uint64_t end = segment.vaddr + segment.memory_size;

		error = segment_check(&segment, size);
		if (error) return error;
		if (segment.vaddr < image->start) image->start = segment.vaddr;
		if (end > image->end) image->end = end;
		if (segment.flags & ELF_EXECUTE &&
			image->entry - segment.vaddr < segment.memory_size)
			entry_found = true;
	}
	if (image->end == 0) return "has nothing to load";
	return entry_found ? NULL : "has its entry point outside its code";
}

bool elf_next(const struct elf_image *image, unsigned *cursor, struct elf_segment *segment) {
	const uint8_t *headers = image->bytes + image->headers;

	while (*cursor < image->count) {
		memcpy(segment, headers + (*cursor)++ * sizeof(*segment), sizeof(*segment));
		if (segment->type == ELF_PROGRAM_LOAD && segment->memory_size > 0) return true;
	}
	return false;
}
