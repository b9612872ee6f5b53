// SPDX-License-Identifier: BSD-2-Clause
// What does a message cost? From the sender's system call to the receiver's return from its own.
#include "bench.h"

enum setting { REPLY = 1 << 8, TWO_SPACES = 1 << 9, WITH_FPU = 1 << 10, WORDS_MASK = 0xff };

enum argument { ENDPOINT, TAG, RECORDS, REPLY_CAP };

static void fpu_leave(void) {}

static void fpu_use(void) { asm volatile("pxor %%xmm0, %%xmm0" ::: "memory"); }

// The FPU is used between the system call and the time stamp, so that switching it late would not
// be missed.
__attribute__((always_inline)) static inline void client_loop(
	struct helper *helper, void (*between)(void)) {
	uint64_t endpoint = helper->argument[ENDPOINT];
	uint64_t tag = helper->argument[TAG];
	uint64_t records = helper->argument[RECORDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = endpoint, .rsi = tag};
		uint64_t end;

		begun_at = ticks();
		sel4_syscall(SYSCALL_CALL, &registers);
		between();
		end = ticks();
		if (records) sample_add(end - begun_at);
	}
}

__attribute__((always_inline)) static inline void server_loop(
	struct helper *helper, void (*between)(void)) {
	uint64_t endpoint = helper->argument[ENDPOINT];
	uint64_t tag = helper->argument[TAG];
	uint64_t records = helper->argument[RECORDS];
	uint64_t reply = helper->argument[REPLY_CAP];
	struct sel4_registers registers = {.rdi = endpoint, .r12 = reply};

	sel4_syscall(SYSCALL_RECV, &registers);
	for (;;) {
		uint64_t end;

		between();
		end = ticks();
		if (records) sample_add(end - begun_at);
		registers = (struct sel4_registers){.rdi = endpoint, .rsi = tag, .r12 = reply};
		begun_at = ticks();
		sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	}
}

static void client_run(struct helper *helper) { client_loop(helper, fpu_leave); }
static void client_run_fpu(struct helper *helper) { client_loop(helper, fpu_use); }
static void server_run(struct helper *helper) { server_loop(helper, fpu_leave); }
static void server_run_fpu(struct helper *helper) { server_loop(helper, fpu_use); }

static void call_measure(const struct row *row) {
	struct helper *server = helper_make(PRIORITY_HELPER);
	struct helper *client = helper_make(PRIORITY_HELPER);

	server->argument[ENDPOINT] = client->argument[ENDPOINT] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[TAG] = client->argument[TAG] = tag_make(
		0, 0, 0, row->setting & WORDS_MASK);
	server->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	client->argument[RECORDS] = (row->setting & REPLY) != 0;
	server->argument[RECORDS] = (row->setting & REPLY) == 0;
	if (row->setting & TWO_SPACES) helper_move(server);
	helper_start(server, row->setting & WITH_FPU ? server_run_fpu : server_run);
	helper_become_passive(server);
	helper_start(client, row->setting & WITH_FPU ? client_run_fpu : client_run);
	settle();
}

static void send_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[ENDPOINT]};

		begun_at = ticks();
		sel4_syscall(SYSCALL_SEND, &registers);
	}
}

static void receive_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {
			.rdi = helper->argument[ENDPOINT], .r12 = helper->argument[REPLY_CAP]};
		uint64_t end;

		sel4_syscall(SYSCALL_RECV, &registers);
		end = ticks();
		sample_add(end - begun_at);
	}
}

static void send_measure(const struct row *row) {
	struct helper *receiver = helper_make(PRIORITY_HELPER + 1);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	(void)row;
	receiver->argument[ENDPOINT] = sender->argument[ENDPOINT] = object_new(OBJECT_ENDPOINT, 0);
	receiver->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	helper_move(receiver);
	helper_start(receiver, receive_run);
	settle();
	helper_start(sender, send_run);
	settle();
}

static void nothing_measure(const struct row *row) {
	(void)row;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = NULL_CAP};
		uint64_t end;

		begun_at = ticks();
		sel4_syscall(SYSCALL_NB_SEND, &registers);
		end = ticks();
		sample_add(end - begun_at);
	}
}

static const struct row rows[] = {
	{"call-two-spaces", "ticks", call_measure, TWO_SPACES},
	{"reply-two-spaces", "ticks", call_measure, TWO_SPACES | REPLY},
	{"call-one-space", "ticks", call_measure, 0},
	{"reply-one-space", "ticks", call_measure, REPLY},
	{"call-fpu", "ticks", call_measure, TWO_SPACES | WITH_FPU},
	{"reply-fpu", "ticks", call_measure, TWO_SPACES | WITH_FPU | REPLY},
	{"call-4-words", "ticks", call_measure, TWO_SPACES | 4},
	{"reply-4-words", "ticks", call_measure, TWO_SPACES | REPLY | 4},
	{"call-10-words", "ticks", call_measure, TWO_SPACES | 10},
	{"reply-10-words", "ticks", call_measure, TWO_SPACES | REPLY | 10},
	{"send-to-higher", "ticks", send_measure, 0},
	{"null-syscall", "ticks", nothing_measure, 0},
};

ROW_FILE(ipc);
