// SPDX-License-Identifier: BSD-2-Clause
// What does a message cost? From the sender's system call to the receiver's return from its own.
#include "bench.h"

enum setting {
	WORDS_MASK = 0xff,
	REPLY = 1 << 8, // the reply is measured, not the call
	TWO_SPACES = 1 << 9,
	WITH_FPU = 1 << 10,
	SERVER_HIGHER = 1 << 11,
	SERVER_LOWER = 1 << 12,
	OWN_TIME = 1 << 13, // the server is not passive
	WITH_CAP = 1 << 14, // each Call brings the server a capability
	NON_BLOCKING = 1 << 15,
};

// RECEIVED: the server's slot for capabilities, or NULL_CAP.
enum argument { ENDPOINT, TAG, RECORDS, REPLY_CAP, RECEIVED };

static void fpu_leave(void) {}

static void fpu_use(void) { asm volatile("pxor %%xmm0, %%xmm0" ::: "memory"); }

// The FPU is used between the system call and the time stamp, so that a lazy switch is counted.
__attribute__((always_inline)) static inline void client_loop(
	struct helper *helper, void (*between)(void)) {
	uint64_t endpoint = helper->argument[ENDPOINT];
	uint64_t tag = helper->argument[TAG];
	uint64_t records = helper->argument[RECORDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = endpoint, .rsi = tag};
		uint64_t end;

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_CALL, &registers);
		between();
		end = ticks_end();
		if (records) sample_add(end - begun_at);
	}
}

__attribute__((always_inline)) static inline void server_loop(
	struct helper *helper, void (*between)(void)) {
	uint64_t endpoint = helper->argument[ENDPOINT];
	uint64_t tag = helper->argument[TAG];
	uint64_t records = helper->argument[RECORDS];
	uint64_t reply = helper->argument[REPLY_CAP];
	uint64_t received = helper->argument[RECEIVED];
	struct sel4_registers registers = {.rdi = endpoint, .r12 = reply};

	sel4_syscall(SYSCALL_RECV, &registers);
	for (;;) {
		uint64_t end;

		between();
		end = ticks_end();
		if (records) sample_add(end - begun_at);
		if (received) CHECK_OK(cap_delete(received));
		registers = (struct sel4_registers){.rdi = endpoint, .rsi = tag, .r12 = reply};
		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	}
}

static void client_run(struct helper *helper) { client_loop(helper, fpu_leave); }
static void client_run_fpu(struct helper *helper) { client_loop(helper, fpu_use); }
static void server_run(struct helper *helper) { server_loop(helper, fpu_leave); }
static void server_run_fpu(struct helper *helper) { server_loop(helper, fpu_use); }

static uint64_t server_priority(uint64_t setting) {
	if (setting & SERVER_HIGHER) return PRIORITY_HELPER + 1;
	return setting & SERVER_LOWER ? PRIORITY_HELPER - 1 : PRIORITY_HELPER;
}

// The client's buffer names the reply object: any capability will do.
static void cap_send(struct helper *client, struct helper *server) {
	client->argument[TAG] = tag_make(0, 0, 1, 0);
	client->buffer->caps_or_badges[0] = server->argument[REPLY_CAP];
	server->argument[RECEIVED] = slot_take();
	server->buffer->receive_cnode = ROOT_SLOT_CNODE;
	server->buffer->receive_index = server->argument[RECEIVED];
	server->buffer->receive_depth = DEPTH;
}

static void call_measure(const struct row *row) {
	struct helper *server = helper_make(server_priority(row->setting));
	struct helper *client = helper_make(PRIORITY_HELPER);

	server->argument[ENDPOINT] = client->argument[ENDPOINT] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[TAG] = client->argument[TAG] = tag_make(
		0, 0, 0, row->setting & WORDS_MASK);
	server->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	client->argument[RECORDS] = (row->setting & REPLY) != 0;
	server->argument[RECORDS] = (row->setting & REPLY) == 0;
	if (row->setting & WITH_CAP) cap_send(client, server);
	if (row->setting & TWO_SPACES) helper_move(server);
	helper_start(server, row->setting & WITH_FPU ? server_run_fpu : server_run);
	if (row->setting & OWN_TIME)
		settle();
	else
		helper_become_passive(server);
	helper_start(client, row->setting & WITH_FPU ? client_run_fpu : client_run);
	settle();
}

__attribute__((always_inline)) static inline void send_loop(
	struct helper *helper, seL4_Int64 number) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[ENDPOINT]};

		begun_at = ticks_begin();
		sel4_syscall(number, &registers);
	}
}

static void send_run(struct helper *helper) { send_loop(helper, SYSCALL_SEND); }
static void send_run_non_blocking(struct helper *helper) { send_loop(helper, SYSCALL_NB_SEND); }

static void receive_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {
			.rdi = helper->argument[ENDPOINT], .r12 = helper->argument[REPLY_CAP]};
		uint64_t end;

		sel4_syscall(SYSCALL_RECV, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

static void send_measure(const struct row *row) {
	struct helper *receiver = helper_make(PRIORITY_HELPER + 1);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	receiver->argument[ENDPOINT] = sender->argument[ENDPOINT] = object_new(OBJECT_ENDPOINT, 0);
	receiver->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	helper_move(receiver);
	helper_start(receiver, receive_run);
	settle();
	helper_start(sender, row->setting & NON_BLOCKING ? send_run_non_blocking : send_run);
	settle();
}

static void unheard_measure(const struct row *) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = endpoint};
		uint64_t end;

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_NB_SEND, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

// Its stub has no arguments and no results.
static void null_measure(const struct row *) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t end;

		begun_at = ticks_begin();
		asm volatile("syscall" : : "d"((int64_t)SYSCALL_NULL) : "rcx", "r11", "memory");
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

static const struct row rows[] = {
	{"call-two-spaces", call_measure, TWO_SPACES},
	{"reply-two-spaces", call_measure, TWO_SPACES | REPLY},
	{"call-one-space", call_measure, 0},
	{"reply-one-space", call_measure, REPLY},
	{"call-fpu", call_measure, TWO_SPACES | WITH_FPU},
	{"reply-fpu", call_measure, TWO_SPACES | WITH_FPU | REPLY},
	{"call-4-words", call_measure, TWO_SPACES | 4},
	{"reply-4-words", call_measure, TWO_SPACES | REPLY | 4},
	{"call-8-words", call_measure, TWO_SPACES | 8},
	{"reply-8-words", call_measure, TWO_SPACES | REPLY | 8},
	{"call-10-words", call_measure, TWO_SPACES | 10},
	{"reply-10-words", call_measure, TWO_SPACES | REPLY | 10},
	{"call-64-words", call_measure, TWO_SPACES | 64},
	{"reply-64-words", call_measure, TWO_SPACES | REPLY | 64},
	{"call-to-higher", call_measure, TWO_SPACES | SERVER_HIGHER},
	{"reply-to-lower", call_measure, TWO_SPACES | SERVER_HIGHER | REPLY},
	{"call-to-lower", call_measure, TWO_SPACES | SERVER_LOWER},
	{"reply-to-higher", call_measure, TWO_SPACES | SERVER_LOWER | REPLY},
	{"call-own-time", call_measure, TWO_SPACES | OWN_TIME},
	{"reply-own-time", call_measure, TWO_SPACES | OWN_TIME | REPLY},
	{"call-own-time-10-words", call_measure, TWO_SPACES | OWN_TIME | 10},
	{"reply-own-time-10-words", call_measure, TWO_SPACES | OWN_TIME | REPLY | 10},
	{"call-with-cap", call_measure, TWO_SPACES | WITH_CAP},
	{"send-to-higher", send_measure, 0},
	{"nbsend-to-higher", send_measure, NON_BLOCKING},
	{"nbsend-unheard", unheard_measure, 0},
	{"null-syscall", null_measure, 0},
};

ROW_FILE(ipc);
