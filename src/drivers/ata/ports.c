// SPDX-License-Identifier: BSD-2-Clause
// The ports through I/O port capabilities: 0 for the eight command registers, 1 for the control
// register. The description says where they are; the primary channel is at 0x1f0 and 0x3f6.
#include <drivers/ata/ports.h>

#include <microkit.h>

enum {
	COMMAND_PORTS = 0,
	CONTROL_PORT = 1,
};

// Patched by the composer (setvar_addr of the two <ioport>s).
uint64_t ata_command_port __attribute__((section(".data"))) = 0x1f0;
uint64_t ata_control_port __attribute__((section(".data"))) = 0x3f6;

uint8_t ata_port_read(enum ata_register index) {
	return microkit_x86_ioport_read_8(COMMAND_PORTS, ata_command_port + index);
}

void ata_port_write(enum ata_register index, uint8_t value) {
	microkit_x86_ioport_write_8(COMMAND_PORTS, ata_command_port + index, value);
}

// PCI adapters split an access of 32 bits into two of 16.
uint32_t ata_port_read_data(void) {
	return microkit_x86_ioport_read_32(COMMAND_PORTS, ata_command_port);
}

void ata_port_write_data(uint32_t words) {
	microkit_x86_ioport_write_32(COMMAND_PORTS, ata_command_port, words);
}

uint8_t ata_port_alternate_status(void) {
	return microkit_x86_ioport_read_8(CONTROL_PORT, ata_control_port);
}

void ata_port_control(uint8_t value) {
	microkit_x86_ioport_write_8(CONTROL_PORT, ata_control_port, value);
}
