// SPDX-License-Identifier: BSD-2-Clause
// System calls of two threads of the booted kernel: call, reply, invocation, restart.
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <abi/syscall.h>
#include <cpu/percpu.h>
#include <ipc/wait.h>
#include <sched/sched_context.h>
#include <sched/schedule.h>
#include <check/check.h>
#include <syscall/syscall.h>

enum {
	ENDPOINT = WORLD_FREE,
	SERVER,
	REPLY,
	CONTEXT,
	CNODE,
	BADGED,
};

static struct thread *server;

static void start(void) {
	static const enum object_type types[] = {
		OBJECT_ENDPOINT, OBJECT_TCB, OBJECT_REPLY, OBJECT_SCHED_CONTEXT, OBJECT_CNODE};
	struct cap cap;

	world_boot();
	for (unsigned i = 0; i < array_count(types); i++)
		check(world_make(types[i], 7, WORLD_FREE + i, 1) == ERROR_NONE);
	server = cap_thread(&world.slots[SERVER].cap);
	thread_fill_slot(&server->slots[THREAD_CSPACE], world.slots[ROOT_SLOT_CNODE].cap,
		&world.slots[ROOT_SLOT_CNODE]);
	server->priority = 255;
	cap = world.slots[ENDPOINT].cap;
	cap.badge = 0x77;
	derive_insert_copy(&world.slots[BADGED], cap, &world.slots[ENDPOINT]);
}

// The current thread's system call, with a message of one word.
static void call(enum syscall_number number, uint64_t destination, uint64_t word) {
	struct context *context = &this_cpu()->current->context;

	context->rdx = (uint64_t)number;
	context->rdi = destination;
	context->rsi = tag_make(0x123, 0, 0, 1);
	context->r10 = word;
	context->r12 = REPLY;
	context->rip = 0x400002;
	host.now += HOST_TICKS_PER_US;
	context->rflags &= ~CONTEXT_WHOLE;
	schedule_update_time();
	syscall_handle();
	check(schedule() != EXIT_TO_GUEST);
}

static void call_and_reply(void) {
	struct sched_context *context;

	start();
	context = cap_object(&world.slots[CONTEXT].cap);
	refill_start(context,
		&(struct refill_queue){.budget = 5000000, .period = 5000000, .maximum = 2},
		host.now);
	sched_context_bind_thread(context, server);
	thread_resume(server);
	call(SYSCALL_CALL, BADGED, 42);
	check(this_cpu()->current == server);
	check(world.root->state == THREAD_BLOCKED_SEND);
	call(SYSCALL_RECV, ENDPOINT, 0);
	check(this_cpu()->current == server && server->context.rdi == 0x77);
	check(server->context.r10 == 42 && tag_label(server->context.rsi) == 0x123);
	check(tag_length(server->context.rsi) == 1);
	check(world.root->state == THREAD_BLOCKED_REPLY);
	call(SYSCALL_REPLY_RECV, ENDPOINT, 43);
	check(this_cpu()->current == world.root && world.root->context.r10 == 43);
	check(world.root->context.rdi == 0 && server->state == THREAD_BLOCKED_RECEIVE);
	call(SYSCALL_CALL, BADGED, 44);
	check(this_cpu()->current == server && server->context.r10 == 44);
}

static void invocations(void) {
	start();
	call(SYSCALL_CALL, CNODE, 0);
	check(tag_label(world.root->context.rsi) == ERROR_ILLEGAL_OPERATION);
	call(SYSCALL_CALL, 0, 0);
	check(tag_label(world.root->context.rsi) == ERROR_INVALID_CAPABILITY);
	check(world.root->context.r10 == 0);
	call(SYSCALL_NB_SEND, 1ul << 40, 0);
	check(this_cpu()->current == world.root);
}

// A deletion that is stopped leaves the caller at its system call instruction.
static void restarts(void) {
	struct context *context;
	struct slot *slots;
	unsigned stops = 0;

	start();
	slots = cap_object(&world.slots[CNODE].cap);
	for (unsigned i = 0; i < 128; i++)
		derive_insert_copy(&slots[i], world.slots[ENDPOINT].cap, &world.slots[ENDPOINT]);
	context = &world.root->context;
	host.preempt_period = 1;
	do {
		context->rdx = (uint64_t)SYSCALL_CALL;
		context->rdi = ROOT_SLOT_CNODE;
		context->rsi = tag_make(LABEL_CNODE_DELETE, 0, 0, 2);
		context->r10 = CNODE;
		context->r8 = 64;
		context->rip = 0x400002;
		context->rflags &= ~CONTEXT_WHOLE;
		schedule_update_time();
		syscall_handle();
		check(schedule() == EXIT_TO_USER && this_cpu()->current == world.root);
	} while (context->rip == 0x400000 && ++stops < 1000);
	check(stops >= 128 && stops < 140);
	check(tag_label(context->rsi) == ERROR_NONE && slot_is_empty(&world.slots[CNODE]));
}

static const struct test rows[] = {
	{"IPC001", "a call is received, answered, and received again", call_and_reply},
	{"IPC002", "wrong invocations answer their errors", invocations},
	{"IPC003", "a stopped deletion restarts its system call until it is done", restarts},
};

TESTS(ipc_tests);
