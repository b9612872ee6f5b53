// SPDX-License-Identifier: BSD-2-Clause
// Messages of a protection domain on the debug console, and how it stops itself.
#include <stdarg.h>

#include <base/format.h>
#include <base/panic.h>

#include <user/microkit/internal.h>

// Patched by the composer.
char microkit_name[MICROKIT_PD_NAME_LENGTH] __attribute__((section(".data")));

void microkit_dbg_puts(const char *s) {
	while (*s)
		microkit_dbg_putc(*s++);
}

void microkit_dbg_put8(seL4_Uint8 x) { microkit_dbg_put32(x); }

void microkit_dbg_put32(seL4_Uint32 x) {
	char text[11];

	format_text(text, sizeof(text), "%u", x);
	microkit_dbg_puts(text);
}

bool check_id(seL4_Word valid, unsigned id, const char *function, const char *kind) {
	if (id <= MICROKIT_MAX_CHANNEL_ID && (valid >> id & 1)) return true;
	microkit_dbg_puts(microkit_name);
	microkit_dbg_putc(' ');
	microkit_dbg_puts(function);
	microkit_dbg_puts(": invalid ");
	microkit_dbg_puts(kind);
	microkit_dbg_puts(" given '");
	microkit_dbg_put32(id);
	microkit_dbg_puts("'\n");
	return false;
}

void crash_in(const char *function, seL4_Error error) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_putc(' ');
	microkit_dbg_puts(function);
	microkit_dbg_puts(": the kernel refused with error ");
	microkit_dbg_put32(error);
	microkit_dbg_putc('\n');
	microkit_internal_crash(error);
}

static void put_to_console(struct format_sink *, char character) { microkit_dbg_putc(character); }

void panic(const char *format, ...) {
	struct format_sink sink = {put_to_console};
	va_list arguments;

	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(": ");
	va_start(arguments, format);
	format_emit(&sink, format, arguments);
	va_end(arguments);
	microkit_dbg_putc('\n');
	for (;;)
		microkit_internal_crash(seL4_NoError);
}

[[gnu::weak]] void __assert_fail(
	const char *expression, const char *file, int line, const char *function) {
	panic("assertion failed: %s, %s:%d, %s", expression, file, line, function);
}
