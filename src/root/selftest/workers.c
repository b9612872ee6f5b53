// SPDX-License-Identifier: BSD-2-Clause
// Making workers and waiting for them. This thread receives faults by an endpoint, and signals of
// workers and alarm by a notification that is bound to it.
#include <root/selftest/workers.h>

#include <root/selftest/alarm.h>

#include <user/slots.h>
#include <user/untyped.h>
#include <x86/instructions.h>

enum {
	BUDGET = 10000, // microseconds
	// Until a worker is taken to be silent. A host that runs the machine's cores now and then
	// only lets this thread have few alarms as well.
	LIMIT = 2000000, // microseconds
	ALARMS = LIMIT / ALARM_PERIOD / 2,
	BADGE_WORKER = 1, // of the notification
	BADGE_ALARM = 2,
	BADGE_FAULT = 4, // of the endpoint: times the core's number plus one
};

extern char root_image_start[];

// Written by workers_make and the functions below; a worker's are its stack, result and done.
static struct worker workers[WORKERS + 1];
static struct space space;
static seL4_CPtr faults, reply, notification;
static seL4_CPtr done; // badged capabilities of the notification
static struct worker_fault last_fault;

static void worker_run(void *argument) {
	struct worker *worker = argument;

	for (;;) {
		struct sel4_registers wait = {.rdi = worker->go};

		sel4_syscall(SYSCALL_WAIT, &wait);
		worker->result = worker->work(worker->argument);
		worker->done = worker->asked;
		seL4_Signal(done);
	}
}

static seL4_CPtr badged(seL4_CPtr object, seL4_Word badge) {
	seL4_CPtr slot = slots_allocate(1);

	if (!slot ||
		seL4_CNode_Mint(seL4_CapInitThreadCNode, slot, seL4_WordBits,
			seL4_CapInitThreadCNode, object, seL4_WordBits, seL4_AllRights, badge))
		return seL4_CapNull;
	return slot;
}

// The program at the same addresses, of the same frames.
static seL4_Error space_fill(const seL4_BootInfo *bootinfo) {
	seL4_SlotRegion frames = bootinfo->userImageFrames;
	seL4_CPtr slots = slots_allocate(frames.end - frames.start);
	seL4_Error error = slots ? space_make(&space, &space_native) : seL4_NotEnoughMemory;

	for (seL4_Word i = 0; !error && i < frames.end - frames.start; i++) {
		struct mapping mapping = {
			.frame = slots + i,
			.address = (seL4_Word)root_image_start + (i << PAGE_BITS),
			.rights = seL4_AllRights,
			.bits = PAGE_BITS,
		};

		error = seL4_CNode_Copy(seL4_CapInitThreadCNode, slots + i, seL4_WordBits,
			seL4_CapInitThreadCNode, frames.start + i, seL4_WordBits, seL4_AllRights);
		if (!error) error = space_prepare(&space, mapping.address, PAGE_BITS);
		if (!error) error = space_map(&space, &mapping);
	}
	return error;
}

static seL4_Word fault_badge(const struct worker *worker) {
	return (seL4_Word)(worker - workers + 1) * BADGE_FAULT;
}

static seL4_Error worker_make(const seL4_BootInfo *bootinfo, struct worker *worker) {
	struct thread_plan plan = {
		.entry = worker_run,
		.argument = worker,
		.space = space.root,
		.stack_end = worker->stack + WORKER_STACK_WORDS,
		.core = worker->core,
		.priority = seL4_MaxPrio,
		.budget = BUDGET,
		.period = BUDGET,
		.fault_endpoint = badged(faults, fault_badge(worker)),
	};
	seL4_Error error;

	worker->asked = worker->done = 0;
	worker->go = object_make(OBJECT_NOTIFICATION, 0);
	error = worker->go && plan.fault_endpoint ? thread_make(bootinfo, &plan, &worker->thread)
						  : seL4_NotEnoughMemory;
	return error ? error : seL4_TCB_Resume(worker->thread.tcb);
}

bool workers_make(struct selftest *run) {
	seL4_CPtr alarm;

	notification = object_make(OBJECT_NOTIFICATION, 0);
	faults = object_make(OBJECT_ENDPOINT, 0);
	reply = object_make(OBJECT_REPLY, 0);
	if (!notification || !faults || !reply) return false;
	done = badged(notification, BADGE_WORKER);
	alarm = badged(notification, BADGE_ALARM);
	if (!done || !alarm || !alarm_make(run->bootinfo, alarm) || space_fill(run->bootinfo))
		return false;
	for (seL4_Word core = 0; core < run->bootinfo->numNodes && core < WORKERS; core++) {
		workers[core].core = core;
		if (worker_make(run->bootinfo, &workers[core])) return false;
	}
	worker_that_moves()->core = 0;
	return !worker_make(run->bootinfo, worker_that_moves()) &&
		!seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification);
}

// Before what is mapped in it the space: else the cores would be interrupted for each page.
void workers_end(const struct selftest *run) {
	(void)seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB);
	if (run->faults.keeps_all) return;
	// The workers have it, too.
	(void)seL4_CNode_Revoke(seL4_CapInitThreadCNode, space.root, seL4_WordBits);
	(void)seL4_CNode_Delete(seL4_CapInitThreadCNode, space.root, seL4_WordBits);
}

struct worker *worker_of(seL4_Word core) {
	return &workers[core];
}

struct worker *worker_that_moves(void) {
	return &workers[WORKERS];
}

const struct space *workers_space(void) { return &space; }

struct worker_fault worker_fault(void) {
	return last_fault;
}

// Faults of other workers, which were taken to be silent before, are not answered.
static enum worker_outcome worker_wait(const struct worker *worker) {
	uint64_t start = tsc_read_ordered();
	unsigned alarms = 0;

	while (worker->done != worker->asked) {
		seL4_MessageInfo_t tag;
		seL4_Word badge = 0;

		alarm_start();
		tag = seL4_Recv(faults, &badge, reply);
		if (badge == fault_badge(worker)) {
			last_fault = (struct worker_fault){
				seL4_MessageInfo_get_label(tag), seL4_GetMR(seL4_VMFault_Addr)};
			return WORKER_FAULTED;
		}
		if (badge < BADGE_FAULT && badge & BADGE_ALARM) {
			alarm_taken();
			alarms++;
		}
		if (worker->done != worker->asked && alarms > ALARMS &&
			tsc_read_ordered() - start > LIMIT * alarm_ticks())
			return WORKER_SILENT;
	}
	return WORKER_DONE;
}

enum worker_outcome worker_do(
	struct worker *worker, seL4_Word (*work)(seL4_Word argument), seL4_Word argument) {
	worker->work = work;
	worker->argument = argument;
	worker->asked++;
	seL4_Signal(worker->go);
	return worker_wait(worker);
}

enum worker_outcome worker_continue(struct worker *worker) {
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 0));
	return worker_wait(worker);
}

bool worker_does(struct selftest *run, struct worker *worker, seL4_Word (*work)(seL4_Word argument),
	seL4_Word argument) {
	enum worker_outcome outcome = worker_do(worker, work, argument);

	if (outcome == WORKER_FAULTED)
		selftest_fail_core(run, worker->core, "a thread there had fault %lu at 0x%lx",
			last_fault.label, last_fault.address);
	else if (outcome == WORKER_SILENT)
		selftest_fail_core(run, worker->core, "a thread there did not answer");
	if (outcome == WORKER_SILENT) run->faults.keeps_all = true;
	return outcome == WORKER_DONE;
}

bool worker_move(struct selftest *run, struct worker *worker, seL4_Word core) {
	seL4_Error error = seL4_SchedControl_ConfigureFlags(
		run->bootinfo->schedcontrol.start + core, worker->thread.sched_context, BUDGET,
		BUDGET, 0, 0, 0);

	if (error)
		selftest_fail_core(run, core, "no thread can be moved there: error %d", error);
	else
		worker->core = core;
	return !error;
}
