// SPDX-License-Identifier: BSD-2-Clause
// Checks what the composer put into a memory region.
#include <microkit.h>

#define FILE_SIZE 4112

// Patched by the composer: place of the region, and length of the file in it.
seL4_Word prefilled_vaddr;
seL4_Word prefilled_size;

static const struct word {
	unsigned offset;
	seL4_Uint32 value;
} words[] = {
	{0x0, 0x53145314},
	{0x4, 0x01234567},
	{0x8, 0},
	{0x408, 0x89abcdef},
	{0x100c, 0x75757575},
	{0x1010, 0}, // after the end of the file
	{0x1ffc, 0},
};

static int is_as_expected(const struct word *word) {
	const volatile seL4_Uint32 *data = (const volatile seL4_Uint32 *)prefilled_vaddr;

	return data[word->offset / sizeof(*data)] == word->value;
}

void init(void) {
	microkit_dbg_puts("hello, world. my name is ");
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts("\nchecking prefilled memory region data length\n");
	if (prefilled_size != FILE_SIZE) {
		microkit_dbg_puts("oh no: the length is wrong\n");
		return;
	}
	microkit_dbg_puts("checking prefilled memory region data\n");
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!is_as_expected(&words[i])) {
			microkit_dbg_puts("oh no: a word is wrong\n");
			return;
		}
	}
	microkit_dbg_puts("prefilled data OK!\n");
}

void notified(microkit_channel channel) { (void)channel; }
