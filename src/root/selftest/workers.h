// SPDX-License-Identifier: BSD-2-Clause
// A thread of this program on each core that does some work when it is signalled, and signals its
// end. They run in an address space of their own that shows the same program: no core comes to have
// translations of the initial task's.
#pragma once

#include <root/selftest/selftest.h>
#include <root/thread.h>

#include <user/space.h>

enum {
	WORKERS = 64, // cores that the kernel starts at most
	WORKER_STACK_WORDS = 128,
};

struct worker {
	seL4_Word core;
	struct thread thread;
	seL4_CPtr go; // signalled when there is something to do
	seL4_Word (*work)(seL4_Word argument);
	seL4_Word argument;
	volatile seL4_Word result;
	volatile seL4_Word asked, done; // how often
	seL4_Word stack[WORKER_STACK_WORDS] __attribute__((aligned(16)));
};

// What became of a worker's work.
enum worker_outcome {
	WORKER_DONE,
	WORKER_FAULTED, // it continues where it faulted by worker_continue
	WORKER_SILENT, // nothing came for two seconds
};

struct worker_fault {
	seL4_Word label; // enum seL4_Fault_tag
	seL4_Word address; // of a VMFault
};

// Make a worker for each core and one more, and what this thread waits by. False: out of memory.
[[nodiscard]] bool workers_make(struct selftest *run);

// This thread has no notification any more, and the workers, unless all is kept, no memory.
void workers_end(const struct selftest *run);

// The one more is of no core: it is on the first until it is moved.
struct worker *worker_of(seL4_Word core);
struct worker *worker_that_moves(void);

// Their address space. Above the program there is nothing.
const struct space *workers_space(void);

// Have a worker do something and wait for it.
enum worker_outcome worker_do(
	struct worker *worker, seL4_Word (*work)(seL4_Word argument), seL4_Word argument);
enum worker_outcome worker_continue(struct worker *worker);
struct worker_fault worker_fault(void); // the last one

// For tests that expect WORKER_DONE: false after a line that says what came instead.
[[nodiscard]] bool worker_does(struct selftest *run, struct worker *worker,
	seL4_Word (*work)(seL4_Word argument), seL4_Word argument);

// Move a worker to another core; false after a line if the kernel refuses.
[[nodiscard]] bool worker_move(struct selftest *run, struct worker *worker, seL4_Word core);
