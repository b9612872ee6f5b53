// SPDX-License-Identifier: BSD-2-Clause
// The VMM's own lines.
#include <vmm/host/log.h>

#include <base/format.h>

enum { TEXT_SIZE = 192, NAME_SIZE = 64, GUEST_LINES = 16 };

// Set by log_start once; guest_lines is counted down by log_guest.
static void (*log_write)(void *context, const char *text);
static void *log_context;
static const char *log_name;
static int guest_lines = GUEST_LINES;

void log_start(const char *name, void (*write)(void *context, const char *text), void *context) {
	log_name = name;
	log_write = write;
	log_context = context;
}

[[gnu::format(printf, 1, 0)]] static void log_list(const char *format, va_list arguments) {
	char text[TEXT_SIZE];
	char line[TEXT_SIZE + NAME_SIZE + 8];

	if (!log_write) return;
	format_text_list(text, sizeof(text), format, arguments);
	format_text(line, sizeof(line), "vmm %s: %s\r\n", log_name, text);
	log_write(log_context, line);
}

void log_line(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	log_list(format, arguments);
	va_end(arguments);
}

void log_guest(const char *format, ...) {
	va_list arguments;

	if (guest_lines == 0) return;
	guest_lines--;
	va_start(arguments, format);
	log_list(format, arguments);
	va_end(arguments);
	if (guest_lines == 0) log_line("further accesses of this kind are not reported");
}

void log_guest_reset(void) { guest_lines = GUEST_LINES; }
