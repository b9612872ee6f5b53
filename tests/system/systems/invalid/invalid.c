// SPDX-License-Identifier: BSD-2-Clause
// Uses what it was not given.
#include <microkit.h>

void init(void) {
	microkit_notify(0);
	microkit_deferred_notify(61);
	microkit_irq_ack(62);
	microkit_deferred_irq_ack(63);
	if (microkit_ppcall(64, microkit_msginfo_new(1, 0)).words[0])
		microkit_dbg_puts("a reply came\n");
	microkit_x86_ioport_write_8(1, 0x80, 0);
	microkit_x86_ioport_write_16(61, 0x80, 0);
	microkit_x86_ioport_write_32(62, 0x80, 0);
	if (microkit_x86_ioport_read_8(63, 0x80) || microkit_x86_ioport_read_16(64, 0x80) ||
		microkit_x86_ioport_read_32(4000000000u, 0x80))
		microkit_dbg_puts("a port was read\n");
	microkit_vcpu_x86_enable_ioport(0, 5, 0x80, 1);
	if (microkit_cspace_root_slot_to_cptr(0) || microkit_cspace_root_slot_to_cptr(64))
		microkit_dbg_puts("a slot was found\n");
	microkit_dbg_put8(255);
	microkit_dbg_puts(" still here\n");
	microkit_x86_ioport_write_8(0, 0x81, 0);
}

void notified(microkit_channel channel) { (void)channel; }
