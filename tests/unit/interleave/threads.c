// SPDX-License-Identifier: BSD-2-Clause
// Threads that one core runs and another one changes.
#include "scenario.h"

#include <base/compiler.h>
#include <kernel.h>

enum { ENDPOINT = SLOT_OTHERS, NOTIFICATION = SLOT_OTHERS };

#define TIME(ticks) \
	{ .kind = STEP_TIME, .number = (ticks) }
#define FPU(value) \
	{ .kind = STEP_FPU, .number = (value) }
#define FPU_READ(value) \
	{ .kind = STEP_FPU_READ, .number = (value) }
#define SUSPEND(thread) INVOKE(SLOT_THREAD + (thread), LABEL_TCB_SUSPEND, 0)
#define RESUME(thread) INVOKE(SLOT_THREAD + (thread), LABEL_TCB_RESUME, 0)

static void suspension(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, SEND(NOTIFICATION, 0), YIELD));
	rig_thread(1, PROGRAM(START, SUSPEND(0), RESUME(0)));
}

static void deletion(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_THREAD + 1)));
}

// Each the other: at most one does.
static void mutual_suspension(void) {
	rig_thread(0, PROGRAM(START, SUSPEND(1), YIELD));
	rig_thread(1, PROGRAM(START, SUSPEND(0), YIELD));
}

static void mutual_deletion(void) {
	rig_thread(0, PROGRAM(START, DELETE(SLOT_THREAD + 1), YIELD));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_THREAD), YIELD));
}

static void priority(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(0, PROGRAM(START, YIELD));
	rig_thread(1,
		PROGRAM(START,
			INVOKE_WITH(SLOT_THREAD, LABEL_TCB_SET_PRIORITY, 1, SLOT_THREAD + 2, 5)));
}

static void move(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(1, PROGRAM(START, CONFIGURE(1, 0)));
}

static void move_away(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, CONFIGURE(1, 0), SEND(NOTIFICATION, 0)));
	rig_thread(1, PROGRAM(START, SUSPEND(0), RESUME(0)));
}

// What the registers of its FPU hold goes with a thread.
static void move_with_fpu(void) {
	rig_thread(0, PROGRAM(FPU(0x123), START, YIELD, FPU_READ(0x123), YIELD));
	rig_thread(1, PROGRAM(FPU(0x456), START, CONFIGURE(1, 0), YIELD, FPU_READ(0x456)));
}

static void deletion_of_fpu(void) {
	rig_thread(0, PROGRAM(FPU(0x123), START, FPU_READ(0x123)));
	rig_thread(0, PROGRAM(START, FPU(0x77), FPU_READ(0x77)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_THREAD)));
}

static void fault(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(START, {.kind = STEP_FAULT}));
	rig_thread(1, PROGRAM(START, SUSPEND(0)));
	rig_handler(0, ENDPOINT);
}

static void unbinding(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(1,
		PROGRAM(START, INVOKE(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_UNBIND, 0),
			INVOKE_WITH(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_BIND, 0, SLOT_THREAD)));
}

static void registers(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, SEND(NOTIFICATION, 0), YIELD));
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_THREAD, LABEL_TCB_READ_REGISTERS, 2, 0, 2)));
}

static void yield_to(void) {
	rig_thread(0, PROGRAM(START, YIELD, YIELD));
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_YIELD_TO, 0)));
}

// Who waits for the consumed time of another core's context, goes on.
static void yield_and_move(void) {
	rig_thread(0, PROGRAM(POLL(rig_object(OBJECT_NOTIFICATION, 0)), START, YIELD));
	rig_thread(0, PROGRAM(INVOKE(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_YIELD_TO, 0)));
	rig_thread(1, PROGRAM(START, CONFIGURE(1, 1), YIELD));
}

static void consumed(void) {
	rig_thread(0, PROGRAM(START, TIME(5000), YIELD));
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_CONSUMED, 0)));
}

static void deleted_context(void) {
	rig_thread(0, PROGRAM(START, YIELD, YIELD));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_CONTEXT)));
}

// A thread of each of two domains on core 0; the second slot is of domain 1. They meet no thread
// that waits, for fast paths, which a kernel with several domains has not, would look at no domain.
static void domains_make(void) {
	this_kernel()->domains.last = 1;
	this_kernel()->domains.slots[1] = (struct domain_slot){1, 1ul << 40};
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig_thread(0, PROGRAM(START, YIELD, SEND(NOTIFICATION, 0)));
	rig.threads[1].thread->domain = 1;
}

static void domain_of_running(void) {
	domains_make();
	rig_thread(1,
		PROGRAM(START, INVOKE_WITH(SLOT_DOMAIN, LABEL_DOMAIN_SET, 1, SLOT_THREAD, 1),
			INVOKE_WITH(SLOT_DOMAIN, LABEL_DOMAIN_SET, 1, SLOT_THREAD, 0)));
}

static void domain_switch(void) {
	domains_make();
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, 1, 1)));
}

static const struct scenario rows[] = {
	{"THR001", "suspension and resumption of a running thread", suspension},
	{"THR002", "deletion of a running thread", deletion},
	{"THR003", "two threads suspend each other", mutual_suspension},
	{"THR004", "two threads delete each other", mutual_deletion},
	{"THR005", "a running thread gets another priority", priority},
	{"THR006", "a running thread's context is given to another core", move},
	{"THR007", "a thread gives its own context away against its suspension", move_away},
	{"THR008", "the registers of the FPU go with a thread", move_with_fpu},
	{"THR014", "deletion of a thread whose registers a core's FPU holds", deletion_of_fpu},
	{"THR015", "a fault against suspension", fault},
	{"THR009", "a running thread's context is taken away and given back", unbinding},
	{"THR010", "the registers of a running thread are read", registers},
	{"THR011", "YieldTo a thread of another core", yield_to},
	{"THR012", "the time that a running thread has used is asked for", consumed},
	{"THR016", "a running thread leaves its domain and comes back", domain_of_running},
	{"THR018", "a thread that waits in YieldTo goes to another core", yield_and_move},
	{"THR017", "all cores go to another domain while one runs a thread", domain_switch},
	{"THR013", "deletion of a running thread's context", deleted_context},
};

SCENARIOS(thread_scenarios);
