// SPDX-License-Identifier: BSD-2-Clause
// Reader of 64-bit x86-64 executables (System V ABI, chapter 4 and 5; x86-64 supplement). The bytes
// may be hostile and unaligned: headers are copied out before use, every sum is checked.
#include <base/elf.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	ELF_CLASS_64 = 2,
	ELF_DATA_LITTLE = 1,
	ELF_TYPE_EXECUTABLE = 2,
	ELF_MACHINE_X86_64 = 62,
	ELF_PROGRAM_LOAD = 1,
	ELF_MAX_HEADERS = 64,
};

struct elf_header {
	uint8_t magic[4];
	uint8_t class;
	uint8_t data;
	uint8_t version;
	uint8_t padding[9];
	uint16_t type;
	uint16_t machine;
	uint32_t object_version;
	uint64_t entry;
	uint64_t program_offset;
	uint64_t section_offset;
	uint32_t flags;
	uint16_t header_size;
	uint16_t program_entry_size;
	uint16_t program_count;
	uint16_t section_entry_size;
	uint16_t section_count;
	uint16_t section_names;
};

struct elf_program_header {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t alignment;
};

_Static_assert(sizeof(struct elf_header) == 64);
_Static_assert(sizeof(struct elf_program_header) == 56);

static enum elf_error header_check(const struct elf_header *header, uint64_t size) {
	if (memcmp(header->magic, "\177ELF", 4) != 0) return ELF_NOT_ELF;
	if (header->class != ELF_CLASS_64 || header->data != ELF_DATA_LITTLE ||
		header->machine != ELF_MACHINE_X86_64)
		return ELF_WRONG_MACHINE;
	if (header->type != ELF_TYPE_EXECUTABLE) return ELF_NOT_EXECUTABLE;
	if (header->program_entry_size != sizeof(struct elf_program_header) ||
		header->program_count > ELF_MAX_HEADERS)
		return ELF_BAD_SEGMENT;
	if (!range_fits(header->program_offset,
		    (uint64_t)header->program_count * sizeof(struct elf_program_header), size))
		return ELF_TRUNCATED;
	return ELF_OK;
}

static struct elf_program_header header_read(const struct elf_image *image, unsigned index) {
	struct elf_program_header header;

	memcpy(&header, image->bytes + image->headers + index * sizeof(header), sizeof(header));
	return header;
}

static bool header_is_load(const struct elf_program_header *header) {
	return header->type == ELF_PROGRAM_LOAD && header->memory_size > 0;
}

static enum elf_error segment_check(const struct elf_program_header *header, uint64_t size) {
	if (!range_fits(header->offset, header->file_size, size)) return ELF_TRUNCATED;
	// The page after the segment must be addressable too, so that rounding up cannot wrap.
	if (header->file_size > header->memory_size ||
		!range_fits(header->vaddr, header->memory_size, ~0ul - 0x200000))
		return ELF_BAD_SEGMENT;
	return ELF_OK;
}

enum elf_error elf_open(struct elf_image *image, const void *bytes, uint64_t size) {
	struct elf_header header;
	unsigned loadable = 0;
	bool entry_found = false;

	if (size < sizeof(header)) return ELF_TRUNCATED;
	memcpy(&header, bytes, sizeof(header));
	enum elf_error error = header_check(&header, size);
	if (error) return error;
	*image = (struct elf_image){
		bytes, size, header.entry, header.program_offset, header.program_count};
	for (unsigned i = 0; i < image->count; i++) {
		struct elf_program_header program = header_read(image, i);

		if (!header_is_load(&program)) continue;
		error = segment_check(&program, size);
		if (error) return error;
		loadable++;
		if ((program.flags & ELF_EXECUTE) &&
			header.entry - program.vaddr < program.memory_size)
			entry_found = true;
	}
	if (loadable == 0) return ELF_NO_SEGMENT;
	return entry_found ? ELF_OK : ELF_BAD_ENTRY;
}

bool elf_next(const struct elf_image *image, unsigned *cursor, struct elf_segment *segment) {
	while (*cursor < image->count) {
		struct elf_program_header header = header_read(image, (*cursor)++);

		if (!header_is_load(&header)) continue;
		*segment = (struct elf_segment){
			.vaddr = header.vaddr,
			.paddr = header.paddr,
			.memory_size = header.memory_size,
			.data = image->bytes + header.offset,
			.data_size = header.file_size,
			.flags = header.flags,
		};
		return true;
	}
	return false;
}

void elf_span(const struct elf_image *image, uint64_t *start, uint64_t *end) {
	struct elf_segment segment;
	unsigned cursor = 0;

	*start = ~0ul;
	*end = 0;
	while (elf_next(image, &cursor, &segment)) {
		if (segment.vaddr < *start) *start = segment.vaddr;
		if (segment.vaddr + segment.memory_size > *end)
			*end = segment.vaddr + segment.memory_size;
	}
}

const char *elf_error_text(enum elf_error error) {
	static const char *const texts[ELF_ERROR_COUNT] = {
		[ELF_OK] = "is well formed",
		[ELF_TRUNCATED] = "is shorter than its headers say",
		[ELF_NOT_ELF] = "is not an ELF file",
		[ELF_WRONG_MACHINE] = "is not for 64-bit x86",
		[ELF_NOT_EXECUTABLE] = "is not a statically linked executable",
		[ELF_BAD_SEGMENT] = "has a malformed segment",
		[ELF_NO_SEGMENT] = "has nothing to load",
		[ELF_BAD_ENTRY] = "has its entry point outside its code",
	};

	return error < ELF_ERROR_COUNT ? texts[error] : "is unreadable";
}
