// SPDX-License-Identifier: BSD-2-Clause
// System calls below the stubs: every register that goes in or comes out is visible, and
// lengths, labels and capability counts may be wrong on purpose.
#pragma once

#include <stdint.h>
#include <abi/invocation.h>
#include <abi/message.h>
#include <abi/rights.h>
#include <abi/syscall.h>
#include "test.h"

struct call_registers {
	uint64_t rdi;
	uint64_t rsi;
	uint64_t r10;
	uint64_t r8;
	uint64_t r9;
	uint64_t r15;
	uint64_t r12;
	uint64_t r13;
};

void system_call(int64_t number, struct call_registers *registers);

// IPC buffer of the calling thread.
struct ipc_buffer *own_buffer(void);

struct message invoke(uint64_t cap, uint64_t label, struct words caps, struct words words);

void ipc_send(uint64_t cap, uint64_t label, struct words words);
void ipc_nb_send(uint64_t cap, uint64_t label, struct words words);
void ipc_send_caps(uint64_t cap, struct words caps, struct words words);
struct message ipc_call(uint64_t cap, uint64_t label, struct words words);
struct message ipc_recv(uint64_t cap, uint64_t reply);
struct message ipc_nb_recv(uint64_t cap, uint64_t reply);
struct message ipc_wait(uint64_t cap);
struct message ipc_nb_wait(uint64_t cap);
struct message ipc_reply_recv(uint64_t cap, uint64_t reply, struct words words);
// Send to `send`, then receive from `cap`.
struct message ipc_nb_send_recv(uint64_t send, uint64_t cap, uint64_t reply, struct words words);
struct message ipc_nb_send_wait(uint64_t send, uint64_t cap, struct words words);
void ipc_signal(uint64_t cap);
void thread_yield(void);

// Where the next received capability goes: (root, slot, 64).
void receive_slot_set(uint64_t root, uint64_t slot);
