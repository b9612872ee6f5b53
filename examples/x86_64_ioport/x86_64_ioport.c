// SPDX-License-Identifier: BSD-2-Clause
// Writes to COM1 byte by byte; each access is a request to the kernel.
#include <microkit.h>

enum {
	LINE_STATUS = 5, // offset of the register
	TRANSMITTER_EMPTY = 1 << 5,
};

// Patched by the composer.
seL4_Word serial_id;
seL4_Word serial_address;

static void serial_put(char character) {
	microkit_ioport id = (microkit_ioport)serial_id;

	while (!(microkit_x86_ioport_read_8(id, serial_address + LINE_STATUS) & TRANSMITTER_EMPTY))
		;
	microkit_x86_ioport_write_8(id, serial_address, (seL4_Uint8)character);
}

void init(void) {
	microkit_dbg_puts("hello, world. my name is ");
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts("\nNow writing to serial I/O port: ");
	for (const char *text = "hello!\r\n"; *text; text++)
		serial_put(*text);
}

void notified(microkit_channel channel) { (void)channel; }
