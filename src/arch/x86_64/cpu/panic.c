// SPDX-License-Identifier: BSD-2-Clause
// A bug in the kernel: says what and where, and stops the machine.
#include <base/panic.h>

#include <base/format.h>
#include <cpu/print.h>
#include <cpu/registers.h>

void panic(const char *format, ...) {
	char text[200];
	va_list arguments;

	asm volatile("cli");
	va_start(arguments, format);
	format_text_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	print("\nkernel panic: %s\n", text);
	print("  called from %p, cr2 %lx cr3 %lx cr4 %lx\n", __builtin_return_address(0),
		cr2_read(), cr3_read(), cr4_read());
	cpu_stop();
}
