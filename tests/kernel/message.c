// SPDX-License-Identifier: BSD-2-Clause
// System calls with all registers as arguments, and messages in those registers.
#include "message.h"
#include <base/memory.h>
#include "world.h"

void system_call(int64_t number, struct call_registers *registers) {
	register uint64_t r10 asm("r10") = registers->r10;
	register uint64_t r8 asm("r8") = registers->r8;
	register uint64_t r9 asm("r9") = registers->r9;
	register uint64_t r15 asm("r15") = registers->r15;
	register uint64_t r12 asm("r12") = registers->r12;
	register uint64_t r13 asm("r13") = registers->r13;

	// The kernel may leave rsp as zero (SYS-2); rbx keeps it.
	asm volatile("mov %%rsp, %%rbx\n\tsyscall\n\tmov %%rbx, %%rsp"
		     : "+D"(registers->rdi), "+S"(registers->rsi), "+r"(r10), "+r"(r8), "+r"(r9),
		     "+r"(r15), "+r"(r12), "+r"(r13)
		     : "d"(number)
		     : "rcx", "r11", "rbx", "memory");
	registers->r10 = r10;
	registers->r8 = r8;
	registers->r9 = r9;
	registers->r15 = r15;
	registers->r12 = r12;
	registers->r13 = r13;
}

static struct message message_read(const struct call_registers *registers) {
	const struct ipc_buffer *buffer = own_buffer();
	struct message message = {
		.badge = registers->rdi,
		.tag = registers->rsi,
		.label = tag_label(registers->rsi),
		.length = tag_length(registers->rsi),
		.caps = tag_caps(registers->rsi),
		.unwrapped = registers->rsi >> TAG_UNWRAPPED_SHIFT & 7,
		.words = {registers->r10, registers->r8, registers->r9, registers->r15},
	};

	for (unsigned index = MESSAGE_REGISTERS; index < MESSAGE_WORDS_KEPT; index++)
		message.words[index] = buffer->message[index];
	return message;
}

static void words_place(struct call_registers *registers, struct words words) {
	struct ipc_buffer *buffer = own_buffer();
	uint64_t first[MESSAGE_REGISTERS] = {0};

	for (unsigned index = 0; index < words.count; index++) {
		if (index < MESSAGE_REGISTERS)
			first[index] = words.items[index];
		else
			buffer->message[index] = words.items[index];
	}
	registers->r10 = first[0];
	registers->r8 = first[1];
	registers->r9 = first[2];
	registers->r15 = first[3];
}

static void caps_place(struct words caps) {
	struct ipc_buffer *buffer = own_buffer();

	for (unsigned index = 0; index < caps.count; index++)
		buffer->caps_or_badges[index] = caps.items[index];
}

static struct message message_exchange(int64_t number, struct call_registers registers) {
	system_call(number, &registers);
	return message_read(&registers);
}

struct message invoke(uint64_t cap, uint64_t label, struct words caps, struct words words) {
	struct call_registers registers = {
		.rdi = cap, .rsi = tag_make(label, 0, caps.count, words.count)};

	words_place(&registers, words);
	caps_place(caps);
	return message_exchange(SYSCALL_CALL, registers);
}

static void message_push(int64_t number, uint64_t cap, uint64_t label, struct words words) {
	struct call_registers registers = {.rdi = cap, .rsi = tag_make(label, 0, 0, words.count)};

	words_place(&registers, words);
	system_call(number, &registers);
}

void ipc_send(uint64_t cap, uint64_t label, struct words words) {
	message_push(SYSCALL_SEND, cap, label, words);
}

void ipc_nb_send(uint64_t cap, uint64_t label, struct words words) {
	message_push(SYSCALL_NB_SEND, cap, label, words);
}

void ipc_send_caps(uint64_t cap, struct words caps, struct words words) {
	struct call_registers registers = {
		.rdi = cap, .rsi = tag_make(0, 0, caps.count, words.count)};

	words_place(&registers, words);
	caps_place(caps);
	system_call(SYSCALL_SEND, &registers);
}

struct message ipc_call(uint64_t cap, uint64_t label, struct words words) {
	struct call_registers registers = {.rdi = cap, .rsi = tag_make(label, 0, 0, words.count)};

	words_place(&registers, words);
	return message_exchange(SYSCALL_CALL, registers);
}

struct message ipc_recv(uint64_t cap, uint64_t reply) {
	return message_exchange(SYSCALL_RECV, (struct call_registers){.rdi = cap, .r12 = reply});
}

struct message ipc_nb_recv(uint64_t cap, uint64_t reply) {
	return message_exchange(SYSCALL_NB_RECV, (struct call_registers){.rdi = cap, .r12 = reply});
}

struct message ipc_wait(uint64_t cap) {
	return message_exchange(SYSCALL_WAIT, (struct call_registers){.rdi = cap});
}

struct message ipc_nb_wait(uint64_t cap) {
	return message_exchange(SYSCALL_NB_WAIT, (struct call_registers){.rdi = cap});
}

struct message ipc_reply_recv(uint64_t cap, uint64_t reply, struct words words) {
	struct call_registers registers = {
		.rdi = cap, .rsi = tag_make(0, 0, 0, words.count), .r12 = reply};

	words_place(&registers, words);
	return message_exchange(SYSCALL_REPLY_RECV, registers);
}

struct message ipc_nb_send_recv(uint64_t send, uint64_t cap, uint64_t reply, struct words words) {
	struct call_registers registers = {
		.rdi = cap, .rsi = tag_make(0, 0, 0, words.count), .r12 = reply, .r13 = send};

	words_place(&registers, words);
	return message_exchange(SYSCALL_NB_SEND_RECV, registers);
}

struct message ipc_nb_send_wait(uint64_t send, uint64_t cap, struct words words) {
	struct call_registers registers = {
		.rdi = cap, .rsi = tag_make(0, 0, 0, words.count), .r12 = send};

	words_place(&registers, words);
	return message_exchange(SYSCALL_NB_SEND_WAIT, registers);
}

void ipc_signal(uint64_t cap) { message_push(SYSCALL_SEND, cap, 0, WORDS()); }

void thread_yield(void) { system_call(SYSCALL_YIELD, &(struct call_registers){0}); }

void receive_slot_set(uint64_t root, uint64_t slot) {
	struct ipc_buffer *buffer = own_buffer();

	buffer->receive_cnode = root;
	buffer->receive_index = slot;
	buffer->receive_depth = 64;
}
