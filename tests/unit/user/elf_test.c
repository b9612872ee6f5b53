// SPDX-License-Identifier: BSD-2-Clause
// The executable reader: a good file, and every way a header can lie.
#include "test.h"

#include <base/elf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr programs[2];
	uint8_t data[64];
};

static struct file good_file(void) {
	struct file file = {
		.header =
			{
				.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_entry = 0x400010,
				.e_phoff = offsetof(struct file, programs),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = 2,
			},
		.programs =
			{
				{
					.p_type = PT_LOAD,
					.p_flags = PF_R | PF_X,
					.p_offset = offsetof(struct file, data),
					.p_vaddr = 0x400000,
					.p_filesz = 32,
					.p_memsz = 32,
				},
				{
					.p_type = PT_LOAD,
					.p_flags = PF_R | PF_W,
					.p_offset = offsetof(struct file, data) + 32,
					.p_vaddr = 0x401000,
					.p_filesz = 16,
					.p_memsz = 4096,
				},
			},
	};

	return file;
}

// On the heap with its exact size, so that the sanitizer sees a read past the end.
static const char *open_file(const struct file *file, size_t size) {
	uint8_t *bytes = malloc(size ? size : 1);
	struct elf_image image;
	const char *error;

	memcpy(bytes, file, size);
	error = elf_open(&image, bytes, size);
	free(bytes);
	return error;
}

static bool says(const struct file *file, const char *words) {
	const char *error = open_file(file, sizeof(*file));

	return error && strcmp(error, words) == 0;
}

static void accepts(void) {
	struct file file = good_file();
	struct elf_image image;
	struct elf_segment segment;
	unsigned cursor = 0;

	check(!elf_open(&image, &file, sizeof(file)));
	check(image.entry == 0x400010);
	check(elf_next(&image, &cursor, &segment) && segment.vaddr == 0x400000);
	check(segment.offset == offsetof(struct file, data) && segment.file_size == 32);
	check(elf_next(&image, &cursor, &segment) && segment.memory_size == 4096);
	check(segment.flags == (PF_R | PF_W));
	check(!elf_next(&image, &cursor, &segment));
	check(image.start == 0x400000 && image.end == 0x402000);
}

static void truncated(void) {
	struct file file = good_file();

	for (size_t size = 0; size < offsetof(struct file, data) + 48; size++)
		check(open_file(&file, size));
	check(!open_file(&file, offsetof(struct file, data) + 48));
}

static void wrong_kind(void) {
	struct file file = good_file();

	file.header.e_ident[0] = 'x';
	check(says(&file, "is not an ELF file"));
	file = good_file();
	file.header.e_machine = EM_386;
	check(says(&file, "is not for 64-bit x86"));
	file = good_file();
	file.header.e_type = ET_DYN;
	check(says(&file, "is not a statically linked executable"));
	file = good_file();
	file.header.e_phnum = 0;
	check(says(&file, "has nothing to load"));
	file = good_file();
	file.header.e_entry = 0x401000;
	check(says(&file, "has its entry point outside its code"));
}

static void lying_headers(void) {
	struct file file = good_file();

	file.header.e_phoff = ~0ul - 8;
	check(says(&file, "is shorter than its headers say"));
	file = good_file();
	file.programs[0].p_offset = ~0ul;
	check(says(&file, "is shorter than its headers say"));
	file = good_file();
	file.programs[0].p_memsz = 16;
	check(says(&file, "has a malformed segment"));
	file = good_file();
	file.programs[1].p_vaddr = ~0ul - 100;
	check(says(&file, "has a malformed segment"));
	file = good_file();
	file.header.e_phentsize = 8;
	check(says(&file, "has a malformed segment"));
}

static const struct test rows[] = {
	{"user/elf/accepts", "a good file gives its entry, segments and span", accepts},
	{"user/elf/truncated", "a file cut at any place is refused", truncated},
	{"user/elf/kind", "other kinds of files are refused by name", wrong_kind},
	{"user/elf/lies", "headers that wrap or point outside are refused", lying_headers},
};

const struct tests elf_tests = {rows, array_count(rows)};
