// SPDX-License-Identifier: BSD-2-Clause
// Messages whose first four words are passed by pointer instead of through the IPC buffer. A null
// pointer sends 0 and receives nothing. Calls and replies also send 0 at and above the length.
#pragma once

#include <sel4/ipc.h>

struct sel4_words {
	seL4_Word *word[MESSAGE_REGISTERS];
};

__attribute__((always_inline)) static inline void sel4_words_load(
	struct sel4_registers *registers, const struct sel4_words *words, seL4_Uint64 length) {
	for (unsigned i = 0; i < MESSAGE_REGISTERS; i++) {
		if (words->word[i] && i < length) registers->words[i] = *words->word[i];
	}
}

__attribute__((always_inline)) static inline void sel4_words_store(
	const struct sel4_registers *registers, const struct sel4_words *words) {
	for (unsigned i = 0; i < MESSAGE_REGISTERS; i++) {
		if (words->word[i]) *words->word[i] = registers->words[i];
	}
}

__attribute__((always_inline)) static inline seL4_MessageInfo_t sel4_words_receive(
	seL4_Int64 number, struct sel4_registers *registers, const struct sel4_words *words,
	seL4_Word *sender) {
	sel4_syscall(number, registers);
	sel4_words_store(registers, words);
	if (sender) *sender = registers->rdi;
	return sel4_tag(registers);
}

static inline void seL4_SendWithMRs(seL4_CPtr dest, seL4_MessageInfo_t msgInfo, seL4_Word *mr0,
	seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
	struct sel4_registers registers = {dest, msgInfo.words[0], {0, 0, 0, 0}, 0, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	sel4_words_load(&registers, &words, MESSAGE_REGISTERS);
	sel4_syscall(SYSCALL_SEND, &registers);
}

static inline void seL4_NBSendWithMRs(seL4_CPtr dest, seL4_MessageInfo_t msgInfo, seL4_Word *mr0,
	seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
	struct sel4_registers registers = {dest, msgInfo.words[0], {0, 0, 0, 0}, 0, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	sel4_words_load(&registers, &words, MESSAGE_REGISTERS);
	sel4_syscall(SYSCALL_NB_SEND, &registers);
}

static inline seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr dest, seL4_MessageInfo_t msgInfo,
	seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
	struct sel4_registers registers = {dest, msgInfo.words[0], {0, 0, 0, 0}, 0, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	sel4_words_load(&registers, &words, seL4_MessageInfo_get_length(msgInfo));
	return sel4_words_receive(SYSCALL_CALL, &registers, &words, seL4_Null);
}

static inline seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0,
	seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3, seL4_CPtr reply) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, reply, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	return sel4_words_receive(SYSCALL_RECV, &registers, &words, sender);
}

static inline seL4_MessageInfo_t seL4_NBRecvWithMRs(seL4_CPtr src, seL4_Word *sender,
	seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3, seL4_CPtr reply) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, reply, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	return sel4_words_receive(SYSCALL_NB_RECV, &registers, &words, sender);
}

static inline seL4_MessageInfo_t seL4_WaitWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0,
	seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
	struct sel4_registers registers = {src, 0, {0, 0, 0, 0}, 0, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	return sel4_words_receive(SYSCALL_WAIT, &registers, &words, sender);
}

static inline seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr src, seL4_MessageInfo_t msgInfo,
	seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3,
	seL4_CPtr reply) {
	struct sel4_registers registers = {src, msgInfo.words[0], {0, 0, 0, 0}, reply, 0};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	sel4_words_load(&registers, &words, seL4_MessageInfo_get_length(msgInfo));
	return sel4_words_receive(SYSCALL_REPLY_RECV, &registers, &words, sender);
}

static inline seL4_MessageInfo_t seL4_NBSendRecvWithMRs(seL4_CPtr dest, seL4_MessageInfo_t msgInfo,
	seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
	seL4_Word *mr3, seL4_CPtr reply) {
	struct sel4_registers registers = {src, msgInfo.words[0], {0, 0, 0, 0}, reply, dest};
	struct sel4_words words = {{mr0, mr1, mr2, mr3}};

	sel4_words_load(&registers, &words, seL4_MessageInfo_get_length(msgInfo));
	return sel4_words_receive(SYSCALL_NB_SEND_RECV, &registers, &words, sender);
}

// Behaves like the official stub, which replies through `dest` as a reply capability, waits there
// too and does not look at `src` (libsel4 has it so).
static inline seL4_MessageInfo_t seL4_NBSendWaitWithMRs(seL4_CPtr dest, seL4_MessageInfo_t msgInfo,
	seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
	seL4_Word *mr3) {
	(void)src;
	return seL4_ReplyRecvWithMRs(dest, msgInfo, sender, mr0, mr1, mr2, mr3, dest);
}
