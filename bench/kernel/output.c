// SPDX-License-Identifier: BSD-2-Clause
// Text on COM1 by I/O ports, as the firmware or the kernel set the line up.
#include "bench.h"
#include <base/format.h>

enum { COM1_DATA = 0x3f8, COM1_STATUS = 0x3fd, COM1_LAST = 0x3ff, STATUS_EMPTY = 1 << 5 };

static uint64_t ports; // by output_start

void output_start(void) {
	ports = slot_take();
	CHECK_OK(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(COM1_DATA, COM1_LAST, ports, DEPTH)));
	slots_keep();
}

static void byte_put(uint64_t byte) {
	while (!(seL4_X86_IOPort_In8(ports, COM1_STATUS).result & STATUS_EMPTY))
		;
	seL4_X86_IOPort_Out8(ports, COM1_DATA, byte);
}

static void character_put(struct format_sink *, char character) {
	if (character == '\n') byte_put('\r');
	byte_put((unsigned char)character);
}

void output_list(const char *format, va_list arguments) {
	struct format_sink sink = {character_put};

	format_emit(&sink, format, arguments);
}

void output(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	output_list(format, arguments);
	va_end(arguments);
}
