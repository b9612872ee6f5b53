// SPDX-License-Identifier: BSD-2-Clause
// I/O ports by id. Each access is an invocation of the port range.
#include <user/microkit/internal.h>

void microkit_x86_ioport_write_8(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data) {
	seL4_Error error;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return;
	error = seL4_X86_IOPort_Out8(BASE_IOPORT_CAP + ioport_id, port_addr, data);
	if (error) crash_in(__func__, error);
}

seL4_Uint8 microkit_x86_ioport_read_8(microkit_ioport ioport_id, seL4_Word port_addr) {
	seL4_X86_IOPort_In8_t answer;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return 0;
	answer = seL4_X86_IOPort_In8(BASE_IOPORT_CAP + ioport_id, (seL4_Uint16)port_addr);
	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
	return answer.result;
}

void microkit_x86_ioport_write_16(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data) {
	seL4_Error error;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return;
	error = seL4_X86_IOPort_Out16(BASE_IOPORT_CAP + ioport_id, port_addr, data);
	if (error) crash_in(__func__, error);
}

seL4_Uint16 microkit_x86_ioport_read_16(microkit_ioport ioport_id, seL4_Word port_addr) {
	seL4_X86_IOPort_In16_t answer;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return 0;
	answer = seL4_X86_IOPort_In16(BASE_IOPORT_CAP + ioport_id, (seL4_Uint16)port_addr);
	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
	return answer.result;
}

void microkit_x86_ioport_write_32(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data) {
	seL4_Error error;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return;
	error = seL4_X86_IOPort_Out32(BASE_IOPORT_CAP + ioport_id, port_addr, data);
	if (error) crash_in(__func__, error);
}

seL4_Uint32 microkit_x86_ioport_read_32(microkit_ioport ioport_id, seL4_Word port_addr) {
	seL4_X86_IOPort_In32_t answer;

	if (!check_id(microkit_ioports, ioport_id, __func__, "I/O port")) return 0;
	answer = seL4_X86_IOPort_In32(BASE_IOPORT_CAP + ioport_id, (seL4_Uint16)port_addr);
	if (answer.error) crash_in(__func__, (seL4_Error)answer.error);
	return answer.result;
}
