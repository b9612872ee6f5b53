// SPDX-License-Identifier: BSD-2-Clause
// Messages and signals: send, receive, call, reply. Message words travel through the IPC buffer
// image msg[0..3]; the ...WithMRs forms are in <sel4/ipc_words.h>.
#pragma once

#include <sel4/invoke.h>

// Registers for sending: tag and the first four words of the IPC buffer.
__attribute__((always_inline)) static inline struct sel4_registers sel4_outgoing(
	seL4_Word rdi, seL4_MessageInfo_t info) {
	struct sel4_registers registers = {rdi, info.words[0],
		{seL4_GetMR(0), seL4_GetMR(1), seL4_GetMR(2), seL4_GetMR(3)}, 0, 0};

	return registers;
}

static inline seL4_MessageInfo_t sel4_tag(const struct sel4_registers *registers) {
	seL4_MessageInfo_t info = {{registers->rsi}};

	return info;
}

// After receiving: words to the IPC buffer, badge to the caller.
__attribute__((always_inline)) static inline seL4_MessageInfo_t sel4_incoming(
	const struct sel4_registers *registers, seL4_Word *sender) {
	for (int i = 0; i < MESSAGE_REGISTERS; i++)
		seL4_SetMR(i, registers->words[i]);
	if (sender) *sender = registers->rdi;
	return sel4_tag(registers);
}

static inline void seL4_Send(seL4_CPtr dest, seL4_MessageInfo_t msgInfo) {
	struct sel4_registers registers = sel4_outgoing(dest, msgInfo);

	sel4_syscall(SYSCALL_SEND, &registers);
}

static inline void seL4_NBSend(seL4_CPtr dest, seL4_MessageInfo_t msgInfo) {
	struct sel4_registers registers = sel4_outgoing(dest, msgInfo);

	sel4_syscall(SYSCALL_NB_SEND, &registers);
}

static inline void seL4_Signal(seL4_CPtr dest) {
	struct sel4_registers registers = {dest, 1, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(SYSCALL_SEND, &registers);
}

static inline seL4_MessageInfo_t seL4_Call(seL4_CPtr dest, seL4_MessageInfo_t msgInfo) {
	struct sel4_registers registers = sel4_outgoing(dest, msgInfo);

	sel4_syscall(SYSCALL_CALL, &registers);
	return sel4_incoming(&registers, seL4_Null);
}

static inline seL4_MessageInfo_t seL4_Recv(seL4_CPtr src, seL4_Word *sender, seL4_CPtr reply) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, reply, 0};

	sel4_syscall(SYSCALL_RECV, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr src, seL4_Word *sender, seL4_CPtr reply) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, reply, 0};

	sel4_syscall(SYSCALL_NB_RECV, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_Wait(seL4_CPtr src, seL4_Word *sender) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(SYSCALL_WAIT, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_NBWait(seL4_CPtr src, seL4_Word *sender) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(SYSCALL_NB_WAIT, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_Poll(seL4_CPtr src, seL4_Word *sender) {
	return seL4_NBWait(src, sender);
}

static inline seL4_MessageInfo_t seL4_ReplyRecv(
	seL4_CPtr src, seL4_MessageInfo_t msgInfo, seL4_Word *sender, seL4_CPtr reply) {
	struct sel4_registers registers = sel4_outgoing(src, msgInfo);

	registers.r12 = reply;
	sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_NBSendRecv(seL4_CPtr dest, seL4_MessageInfo_t msgInfo,
	seL4_CPtr src, seL4_Word *sender, seL4_CPtr reply) {
	struct sel4_registers registers = sel4_outgoing(src, msgInfo);

	registers.r12 = reply;
	registers.r13 = dest;
	sel4_syscall(SYSCALL_NB_SEND_RECV, &registers);
	return sel4_incoming(&registers, sender);
}

static inline seL4_MessageInfo_t seL4_NBSendWait(
	seL4_CPtr dest, seL4_MessageInfo_t msgInfo, seL4_CPtr src, seL4_Word *sender) {
	struct sel4_registers registers = sel4_outgoing(src, msgInfo);

	registers.r12 = dest;
	sel4_syscall(SYSCALL_NB_SEND_WAIT, &registers);
	return sel4_incoming(&registers, sender);
}

static inline void seL4_Yield(void) {
	struct sel4_registers registers = {0, 0, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(SYSCALL_YIELD, &registers);
}

// Enter the guest. Words 0..2 of the IPC buffer image are instruction pointer, processor controls
// and event; returns SEL4_VMENTER_RESULT_*, word 3 is valid only after an exit.
static inline seL4_Word seL4_VMEnter(seL4_Word *sender) {
	struct sel4_registers registers = sel4_outgoing(0, seL4_MessageInfo_new(0, 0, 0, 0));

	sel4_syscall(SYSCALL_VM_ENTER, &registers);
	seL4_SetMR(0, registers.words[0]);
	seL4_SetMR(1, registers.words[1]);
	seL4_SetMR(2, registers.words[2]);
	seL4_SetMR(3, registers.words[3]);
	if (sender) *sender = registers.rdi;
	return registers.rsi;
}
