// SPDX-License-Identifier: BSD-2-Clause
// Counts interrupts of the 8254 and crashes after three.
#include <microkit.h>

enum {
	IRQ = 5,
	PORTS = 3,
	COUNTER_0 = 0x40,
	CONTROL = 0x43,
	RATE_GENERATOR = 0x34, // counter 0, both bytes, mode 2
	DIVISOR = 20000,
};

// Written by notified only.
static unsigned interrupts;

void init(void) {
	microkit_dbg_puts("driver: start\n");
	microkit_x86_ioport_write_8(PORTS, CONTROL, RATE_GENERATOR);
	microkit_x86_ioport_write_8(PORTS, COUNTER_0, DIVISOR & 0xff);
	microkit_x86_ioport_write_8(PORTS, COUNTER_0, DIVISOR >> 8);
}

void notified(microkit_channel channel) {
	if (channel != IRQ) microkit_dbg_puts("driver: a stranger\n");
	microkit_dbg_puts("driver: interrupt\n");
	if (++interrupts == 3) microkit_internal_crash(seL4_NoError);
	microkit_deferred_irq_ack(channel);
}
