// SPDX-License-Identifier: BSD-2-Clause
// Benchmark system calls: which thread is charged for which time.
#include "test.h"
#include "world.h"

#include <abi/benchmark.h>
#include <abi/bootinfo.h>
#include <abi/syscall.h>
#include <cpu/percpu.h>
#include <sched/benchmark.h>
#include <ipc/notification.h>
#include <sched/schedule.h>
#include <check/check.h>
#include <syscall/syscall.h>
#include <string.h>

enum {
	NOTIFICATION = WORLD_FREE,
	OTHER_NOTIFICATION,
	SERVER,
	CONTEXT,
	BEFORE = 5, // ticks between two system calls that are not measured
};

static struct thread *server;

// The current thread's system call after some ticks in its program.
static void call(enum syscall_number number, uint64_t destination, uint64_t ticks) {
	struct context *context = &this_cpu()->current->context;

	context->rdx = (uint64_t)number;
	context->rdi = destination;
	context->rsi = 0;
	context->rip = 0x400002;
	context->rflags &= ~CONTEXT_WHOLE;
	host.now += ticks;
	schedule_update_time();
	syscall_handle();
	(void)schedule();
	check_before_exit();
}

static void start(void) {
	const struct refill_queue parameters = {.budget = 5000000, .period = 5000000, .maximum = 2};

	world_boot();
	check(world_make(OBJECT_NOTIFICATION, 0, NOTIFICATION, 2) == ERROR_NONE);
	check(world_make(OBJECT_TCB, 0, SERVER, 1) == ERROR_NONE);
	check(world_make(OBJECT_SCHED_CONTEXT, 7, CONTEXT, 1) == ERROR_NONE);
	server = cap_thread(&world.slots[SERVER].cap);
	thread_fill_slot(&server->slots[THREAD_CSPACE], world.slots[ROOT_SLOT_CNODE].cap,
		&world.slots[ROOT_SLOT_CNODE]);
	server->priority = 255;
	refill_start(cap_object(&world.slots[CONTEXT].cap), &parameters, host.now);
	sched_context_bind_thread(cap_object(&world.slots[CONTEXT].cap), server);
	world.root->priority = 100;
	thread_resume(server);
	(void)schedule();
	check(this_cpu()->current == server);
	call(SYSCALL_WAIT, NOTIFICATION, BEFORE);
	check(this_cpu()->current == world.root);
}

static uint64_t *words(void) { return world.root->buffer_to_write->message; }

static void threads(void) {
	start();
	call(SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION, SERVER, BEFORE);
	call(SYSCALL_BENCHMARK_RESET_LOG, 77, BEFORE);
	check(world.root->context.rdi == ERROR_NONE);
	call(SYSCALL_SEND, NOTIFICATION, 1000);
	check(this_cpu()->current == server);
	call(SYSCALL_WAIT, NOTIFICATION, 500);
	check(this_cpu()->current == world.root);
	call(SYSCALL_BENCHMARK_FINALIZE_LOG, 77, 300);
	check(world.root->context.rdi == 0);
	call(SYSCALL_SEND, NOTIFICATION, 1000); // counts no more
	call(SYSCALL_WAIT, NOTIFICATION, 500);
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, SERVER, BEFORE);
	check(words()[BENCHMARK_TCB_UTILISATION] == 500);
	check(words()[BENCHMARK_TCB_NUMBER_SCHEDULES] == 1);
	check(words()[BENCHMARK_TCB_NUMBER_KERNEL_ENTRIES] == 1);
	check(words()[BENCHMARK_TOTAL_UTILISATION] == 1800);
	check(words()[BENCHMARK_TOTAL_NUMBER_SCHEDULES] == 2);
	check(words()[BENCHMARK_TOTAL_NUMBER_KERNEL_ENTRIES] == 3);
	check(words()[BENCHMARK_IDLE_LOCALCPU_UTILISATION] == 0);
	check(world.root->utilisation.cycles == 1300);
	call(SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION, SERVER, BEFORE);
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, SERVER, BEFORE);
	check(words()[BENCHMARK_TCB_UTILISATION] == 0);
	check(words()[BENCHMARK_TOTAL_UTILISATION] == 1800);
}

static void idle(void) {
	start();
	call(SYSCALL_BENCHMARK_RESET_LOG, 0, BEFORE);
	call(SYSCALL_WAIT, OTHER_NOTIFICATION, 200);
	check(this_cpu()->current->state == THREAD_IDLE);
	host.now += 700;
	schedule_update_time();
	host.now += 40; // inside the kernel
	notification_signal(cap_object(&world.slots[OTHER_NOTIFICATION].cap), 1);
	(void)schedule();
	check_before_exit();
	check(this_cpu()->current == world.root);
	call(SYSCALL_BENCHMARK_FINALIZE_LOG, 0, 60);
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, ROOT_SLOT_TCB, BEFORE);
	check(words()[BENCHMARK_IDLE_LOCALCPU_UTILISATION] == 740);
	check(words()[BENCHMARK_IDLE_TCBCPU_UTILISATION] == 740);
	check(words()[BENCHMARK_TOTAL_UTILISATION] == 1000);
	check(words()[BENCHMARK_TOTAL_KERNEL_UTILISATION] == 40);
	check(words()[BENCHMARK_TCB_UTILISATION] == 260);
}

static void nonsense(void) {
	start();
	call(SYSCALL_BENCHMARK_FINALIZE_LOG, 7, BEFORE); // not begun
	check(world.root->context.rdi == 0);
	words()[0] = 0x1234;
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, NOTIFICATION, BEFORE);
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, 1ul << 50, BEFORE);
	call(SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION, 1ul << 50, BEFORE);
	check(words()[0] == 0x1234);
	world.root->buffer_to_write = NULL;
	call(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, SERVER, BEFORE);
	call(SYSCALL_BENCHMARK_NULL_SYSCALL, 0, BEFORE);
	call(SYSCALL_BENCHMARK_FLUSH_CACHES, 0, BEFORE);
	check(this_cpu()->current == world.root && world.root->state == THREAD_RUNNING);
}

static void all_threads(void) {
	start();
	server->utilisation.cycles = 4711;
	host.output_length = 0;
	call(SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION, 0, BEFORE);
	check(strstr(host.output, " 4711 cycles"));
	call(SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION, 0, BEFORE);
	check(server->utilisation.cycles == 0);
}

static const struct test rows[] = {
	{"BENCH001", "a thread's cycles, turns and entries are its own", threads},
	{"BENCH002", "while no thread runs it is the idle thread's time", idle},
	{"BENCH003", "benchmark system calls without sense change nothing", nonsense},
	{"BENCH004", "all threads are printed, and forgotten", all_threads},
};

TESTS(benchmark_tests);
