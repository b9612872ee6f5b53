// SPDX-License-Identifier: BSD-2-Clause
// Restarts. The initial task has no timer; its clock is a thread that yields the rest of its budget
// and so comes to run again one period later. It is stopped while nothing waits.
#include <root/restart.h>

#include <root/build.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	CLOCK_STACK_WORDS = 128,
	CLOCK_SCHED_CONTEXT_BITS = 8,
	CLOCK_BUDGET = 500, // microseconds
	CLOCK_PERIOD = 10000,
	CONTEXT_START_WORDS = 2,
	BACKOFF_DOUBLINGS = 6,
};

// Written by restart_init; the clock thread uses the stack and the signal.
static seL4_Word clock_stack[CLOCK_STACK_WORDS] __attribute__((aligned(16)));
static seL4_CPtr clock_tcb;
static seL4_CPtr clock_signal;

static void clock_thread(void) {
	for (;;) {
		seL4_Yield();
		seL4_Signal(clock_signal);
	}
}

static bool is_wanted(const struct system *system) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		if (!system->domains[i].omitted &&
			(system->image.domains[i].flags & SYSTEM_DOMAIN_RESTART))
			return true;
	}
	return false;
}

static seL4_Error clock_configure(struct system *system, seL4_CPtr notification) {
	// The stack pointer is that of a function just called.
	seL4_UserContext context = {
		.rip = (seL4_Word)clock_thread,
		.rsp = (seL4_Word)&clock_stack[CLOCK_STACK_WORDS - 1],
	};
	seL4_CPtr sched_context = object_make(OBJECT_SCHED_CONTEXT, CLOCK_SCHED_CONTEXT_BITS);
	seL4_Error error;

	if (!sched_context) return seL4_NotEnoughMemory;
	error = seL4_SchedControl_ConfigureFlags(system->bootinfo->schedcontrol.start,
		sched_context, CLOCK_BUDGET, CLOCK_PERIOD, 0, 0, 0);
	if (!error)
		error = seL4_CNode_Mint(seL4_CapInitThreadCNode, clock_signal, seL4_WordBits,
			seL4_CapInitThreadCNode, notification, seL4_WordBits, seL4_AllRights,
			RESTART_BADGE);
	if (!error)
		error = seL4_TCB_Configure(clock_tcb, seL4_CapInitThreadCNode, 0,
			seL4_CapInitThreadVSpace, 0, 0, seL4_CapNull);
	if (!error)
		error = seL4_TCB_SetSchedParams(clock_tcb, seL4_CapInitThreadTCB, seL4_MaxPrio,
			seL4_MaxPrio, sched_context, seL4_CapNull);
	if (!error)
		error = seL4_TCB_WriteRegisters(
			clock_tcb, seL4_False, 0, CONTEXT_START_WORDS, &context);
	return error ? error : seL4_TCB_BindNotification(seL4_CapInitThreadTCB, notification);
}

seL4_Error restart_init(struct system *system) {
	seL4_CPtr notification;

	if (!is_wanted(system)) return seL4_NoError;
	notification = object_make(OBJECT_NOTIFICATION, 0);
	clock_tcb = object_make(OBJECT_TCB, 0);
	clock_signal = slots_allocate(1);
	if (!notification || !clock_tcb || !clock_signal) return seL4_NotEnoughMemory;
	return clock_configure(system, notification);
}

static uint32_t wait_of(const struct system_domain *record, uint32_t restarts) {
	uint32_t doublings = restarts < BACKOFF_DOUBLINGS ? restarts : BACKOFF_DOUBLINGS;
	seL4_Word wait = (seL4_Word)record->restart_backoff << doublings;

	if (wait == 0) return 1;
	return wait < 0xffffffff ? (uint32_t)wait : 0xffffffff;
}

void restart_plan(struct system *system, uint32_t index) {
	const struct system_domain *record = &system->image.domains[index];
	struct domain *domain = &system->domains[index];

	if (domain->restarts >= record->restart_limit) {
		print("system: '%s' stays stopped: all %u restarts are used up\n", record->name,
			record->restart_limit);
		return;
	}
	domain->restart_wait = wait_of(record, domain->restarts);
	domain->restarts++;
	print("system: '%s' will be restarted in %u us (restart %u of %u)\n", record->name,
		domain->restart_wait, domain->restarts, record->restart_limit);
	seL4_TCB_Resume(clock_tcb);
}

static void restart(struct system *system, uint32_t index) {
	const char *name = system->image.domains[index].name;

	if (build_again(system, group_of_domain(system, index)))
		print("system: '%s' could not be restarted and stays stopped\n", name);
	else
		print("system: '%s' was restarted\n", name);
}

void restart_tick(struct system *system) {
	bool waiting = false;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		struct domain *domain = &system->domains[i];

		if (domain->restart_wait > CLOCK_PERIOD) {
			domain->restart_wait -= CLOCK_PERIOD;
			waiting = true;
		} else if (domain->restart_wait > 0) {
			domain->restart_wait = 0;
			restart(system, i);
		}
	}
	if (!waiting) seL4_TCB_Suspend(clock_tcb);
}
