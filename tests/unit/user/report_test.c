// SPDX-License-Identifier: BSD-2-Clause
// Messages of the component runtime: numbers, and identifiers that were not granted.
#include "test.h"

#include <string.h>

#include <user/microkit/internal.h>

// What was put on the debug console since said() was last called.
static char console[256];
static size_t console_length;

void microkit_dbg_putc(int c) {
	if (console_length < sizeof(console) - 1) console[console_length++] = (char)c;
}

// Not needed here: an invocation would enter a kernel.
seL4_IPCBuffer *__sel4_ipc_buffer;

static const char *said(void) {
	console[console_length] = 0;
	console_length = 0;
	return console;
}

static void numbers(void) {
	microkit_dbg_put8(0);
	check(strcmp(said(), "0") == 0);
	microkit_dbg_put8(255);
	check(strcmp(said(), "255") == 0);
	microkit_dbg_put32(4294967295u);
	check(strcmp(said(), "4294967295") == 0);
	microkit_dbg_puts("");
	check(strcmp(said(), "") == 0);
}

static void identifiers(void) {
	strcpy(microkit_name, "name");
	check(check_id(1, 0, "f", "channel"));
	check(check_id(1ul << 61, 61, "f", "channel"));
	check(strcmp(said(), "") == 0);
	check(!check_id(0, 0, "f", "channel"));
	check(strcmp(said(), "name f: invalid channel given '0'\n") == 0);
	check(!check_id(~0ul, 62, "g", "I/O port"));
	check(strcmp(said(), "name g: invalid I/O port given '62'\n") == 0);
	check(!check_id(~0ul, 4294967295u, "g", "interrupt"));
	check(strcmp(said(), "name g: invalid interrupt given '4294967295'\n") == 0);
}

static void slots(void) {
	check(microkit_cspace_root_slot_to_cptr(0) == 0);
	check(microkit_cspace_root_slot_to_cptr(1) == 1ul << 58);
	check(microkit_cspace_root_slot_to_cptr(63) == 63ul << 58);
	check(microkit_cspace_root_slot_to_cptr(64) == 0);
	check(microkit_cspace_root_slot_to_cptr(~0ul) == 0);
}

static void messages(void) {
	microkit_msginfo message = microkit_msginfo_new(0xfedcba987654, 120);

	check(message.words[0] == (0xfedcba987654ul << 12 | 120));
	check(microkit_msginfo_get_label(message) == 0xfedcba987654);
	check(microkit_msginfo_get_count(message) == 120);
}

static const struct test rows[] = {
	{"user/report/numbers", "numbers are printed in decimal", numbers},
	{"user/report/identifiers", "an identifier that was not given is named", identifiers},
	{"user/report/slots", "only slots 1 to 63 have an address", slots},
	{"user/report/messages", "a tag holds label and count", messages},
};

const struct tests report_tests = {rows, array_count(rows)};
