// SPDX-License-Identifier: BSD-2-Clause
// Restarts. The initial task has no timer; its clock is a thread that yields the rest of its budget
// and so runs again one period later. It is suspended while no restart is pending.
#include <root/restart.h>

#include <root/build.h>
#include <root/printer.h>
#include <root/thread.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	CLOCK_STACK_WORDS = 128,
	CLOCK_BUDGET = 500, // microseconds
	CLOCK_PERIOD = 10000,
	BACKOFF_DOUBLINGS = 6,
};

// Written by restart_init; the clock thread uses the stack and the signal.
static seL4_Word clock_stack[CLOCK_STACK_WORDS] __attribute__((aligned(16)));
static struct thread clock;
static seL4_CPtr clock_signal;

static void clock_thread(void *) {
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

seL4_Error restart_init(struct system *system) {
	static const struct thread_plan plan = {
		.entry = clock_thread,
		.stack_end = clock_stack + CLOCK_STACK_WORDS,
		.priority = seL4_MaxPrio,
		.budget = CLOCK_BUDGET,
		.period = CLOCK_PERIOD,
	};

	if (!is_wanted(system)) return seL4_NoError;
	clock_signal = system_signal(system, RESTART_BADGE);
	return clock_signal ? thread_make(system->bootinfo, &plan, &clock) : seL4_NotEnoughMemory;
}

static uint32_t wait_of(const struct system_domain *record, uint32_t restarts, uint32_t least) {
	uint32_t doublings = restarts < BACKOFF_DOUBLINGS ? restarts : BACKOFF_DOUBLINGS;
	seL4_Word wait = (seL4_Word)record->restart_backoff << doublings;

	if (wait <= least) return least > 0 ? least : 1;
	return wait < 0xffffffff ? (uint32_t)wait : 0xffffffff;
}

void restart_plan(struct system *system, uint32_t index, uint32_t least) {
	const struct system_domain *record = &system->image.domains[index];
	struct domain *domain = &system->domains[index];

	if (domain->restarts >= record->restart_limit) {
		print("system: '%s' stays stopped: all %u restarts are used up\n", record->name,
			record->restart_limit);
		return;
	}
	domain->restart_wait = wait_of(record, domain->restarts, least);
	domain->restarts++;
	print("system: '%s' will be restarted in %u us (restart %u of %u)\n", record->name,
		domain->restart_wait, domain->restarts, record->restart_limit);
	seL4_TCB_Resume(clock.tcb);
}

static void restart(struct system *system, uint32_t index) {
	const char *name = system->image.domains[index].name;

	if (build_again(system, group_of_domain(system, index)))
		print("system: '%s' could not be restarted and stays stopped\n", name);
	else
		print("system: '%s' was restarted; %lu KiB and %lu slots are left\n", name,
			untyped_left() >> 10, slots_left());
}

void restart_tick(struct system *system) {
	bool waiting = false;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		struct domain *domain = &system->domains[i];

		printer_select(system->image.domains[i].priority);
		if (domain->restart_wait > CLOCK_PERIOD) {
			domain->restart_wait -= CLOCK_PERIOD;
			waiting = true;
		} else if (domain->restart_wait > 0) {
			domain->restart_wait = 0;
			restart(system, i);
		}
	}
	if (!waiting) seL4_TCB_Suspend(clock.tcb);
}
