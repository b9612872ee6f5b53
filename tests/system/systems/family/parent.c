// SPDX-License-Identifier: BSD-2-Clause
// Lets its child continue after an invalid instruction, and crashes once when the child says so.
#include <microkit.h>

enum {
	INSTRUCTION_LENGTH = 2, // of UD2
	REPLY_WORDS = 3,
};

// Patched by the composer.
seL4_Word count_vaddr;
seL4_Word kid_id;

static void say(const char *text, seL4_Word number) {
	microkit_dbg_puts(text);
	microkit_dbg_put32((seL4_Uint32)number);
	microkit_dbg_putc('\n');
}

static seL4_Word starts(void) { return *(volatile seL4_Word *)count_vaddr; }

void init(void) {
	++*(volatile seL4_Word *)count_vaddr;
	say("parent: start ", starts());
}

void notified(microkit_channel channel) {
	say("parent: notified on ", channel);
	if (starts() == 1) microkit_internal_crash(seL4_NoError);
	say("parent: done ", starts());
}

seL4_Bool fault(microkit_child child, microkit_msginfo message, microkit_msginfo *reply) {
	say("parent: fault of the right child ", child == kid_id);
	if (microkit_msginfo_get_label(message) != seL4_Fault_UserException) return seL4_False;
	microkit_mr_set(0, microkit_mr_get(0) + INSTRUCTION_LENGTH);
	*reply = microkit_msginfo_new(0, REPLY_WORDS);
	return seL4_True;
}
