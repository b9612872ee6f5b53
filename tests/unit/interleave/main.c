// SPDX-License-Identifier: BSD-2-Clause
// Each scenario in all orders of its cores' steps, with up to so many preemptions inside the
// kernel. What becomes of the system must be what becomes of it when each entry into the kernel
// runs from its beginning to its end, in some order.
#include "scenario.h"

#include "explore.h"
#include "faults.h"
#include "outcome.h"

#include <base/compiler.h>
#include <check/check.h>
#include <ipc/notification.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTCOMES_MAX = 256, PREEMPTIONS = 2 };

static unsigned preemptions = PREEMPTIONS;

static char *outcomes[OUTCOMES_MAX];
static unsigned outcome_count;
static const char *scenario_id;
static bool is_known_order; // outcomes are added

static void check_all(void) {
	for (unsigned i = 0; i < host.core_count; i++) {
		const struct cpu *cpu = host.cores[i].cpu;
		bool is_idle = cpu->current == cpu->scheduler.idle;

		(void)host_use_core(host.cores[i].cpu);
		check_everything();
		if (is_idle != (host.cores[i].way == EXIT_TO_IDLE))
			explore_fail("core %u leaves the kernel by the wrong way", i);
		if (cpu->current->cpu != cpu) explore_fail("core %u runs another's thread", i);
		if (cpu->candidate || cpu->need_resched)
			explore_fail("core %u has not chosen what to run", i);
	}
	(void)host_use_core(host.cores[0].cpu);
	for (unsigned i = 0; i < rig.thread_count; i++) {
		const struct thread *thread = rig.threads[i].thread;

		if (thread->state == THREAD_IN_GUEST && thread->notification &&
			thread->notification->is_active)
			explore_fail("a guest goes on in spite of a signal");
	}
	if (rig.has_interrupted && rig.untaken && !rig.untaken->is_active)
		explore_fail("an interrupt is lost");
}

static void outcome_add(const char *text) {
	if (outcome_count == OUTCOMES_MAX) explore_fail("too many outcomes");
	outcomes[outcome_count++] = strdup(text);
}

static void end(void) {
	static char text[OUTCOME_SIZE];

	check_all();
	outcome_write(text);
	for (unsigned i = 0; i < outcome_count; i++)
		if (strcmp(outcomes[i], text) == 0) return;
	if (is_known_order) return outcome_add(text);
	printf("  %s no order of whole entries ends like this:\n%s", scenario_id, text);
	for (unsigned i = 0; i < outcome_count; i++)
		printf("  outcome %u of whole entries:\n%s", i, outcomes[i]);
	explore_fail("the outcome is new");
}

static void nothing(void) {}

static uint64_t scenario_run(const struct scenario *scenario) {
	struct exploration exploration = {
		.begin = nothing, .step = rig_step, .may_step = rig_may_step, .end = nothing};
	uint64_t orders = 0;

	scenario_id = scenario->id;
	rig_build(2);
	scenario->build();
	exploration.cores = host.core_count;
	host.before_panic = explore_describe;
	rig_start();
	explore_first(&exploration);
	rig.is_started = true;
	rig_start();
	rig_save();
	exploration.begin = rig_restore;
	exploration.end = end;
	is_known_order = true;
	(void)explore(&exploration);
	is_known_order = false;
	for (unsigned i = 0; i < 2; i++) {
		exploration.preemptions = preemptions - i;
		exploration.delays_stores = i;
		orders += explore(&exploration);
	}
	return orders;
}

// A process of its own, as the memory of a system is made only once. is_quiet: it prints nothing.
static bool scenario_holds(const struct scenario *scenario, bool is_quiet) {
	int status = 1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		uint64_t orders;

		if (is_quiet && !freopen("/dev/null", "w", stdout)) _exit(1);
		orders = scenario_run(scenario);
		printf("ok %s %s: %lu orders, %u outcomes\n", scenario->id, scenario->sentence,
			orders, outcome_count);
		fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const struct scenarios *const all[] = {
	&message_scenarios, &thread_scenarios, &memory_scenarios, &guest_scenarios};

// Those whose ids begin like this: how many fail, and how many there are.
static unsigned scenarios_run(const char *wanted, bool is_quiet, unsigned *count) {
	unsigned failed = 0;

	for (unsigned i = 0; i < array_count(all); i++) {
		for (unsigned j = 0; j < all[i]->count; j++) {
			const struct scenario *scenario = &all[i]->rows[j];

			if (strncmp(scenario->id, wanted, strlen(wanted)) != 0) continue;
			++*count;
			if (scenario_holds(scenario, is_quiet)) continue;
			failed++;
			if (!is_quiet) printf("FAIL %s %s\n", scenario->id, scenario->sentence);
		}
	}
	return failed;
}

// The scenario's id of a fault, without what comes behind a plus sign.
static const char *scenario_of(const struct planted *fault) {
	static char id[16];

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(fault->scenario, "+"), fault->scenario);
	return id;
}

static const char *verdict(const struct planted *fault, bool is_caught) {
	if (!fault->is_there) return "its text is not in the kernel any more, so not caught";
	return is_caught ? "caught" : "not caught";
}

// Each with the kernel that has one of the faults: the scenario named beside it must fail.
static unsigned faults_run(const char *wanted, const char *scenario) {
	unsigned missed = 0;

	for (unsigned i = 0; faults[i].name; i++) {
		const char *id = *scenario ? scenario : scenario_of(&faults[i]);
		unsigned count = 0;
		bool is_caught;

		if (strncmp(faults[i].name, wanted, strlen(wanted)) != 0) continue;
		planted_fault = (int)i + 1;
		is_caught = faults[i].is_there && scenarios_run(id, !*scenario, &count) > 0;
		missed += !is_caught;
		printf("%s fault-%s %s: %s by %s\n", is_caught ? "ok" : "FAIL", faults[i].name,
			faults[i].sentence, verdict(&faults[i], is_caught), id);
	}
	return missed;
}

int main(int argument_count, char **arguments) {
	const char *wanted = argument_count > 1 ? arguments[1] : "";
	unsigned count = 0;

	if (faults->name) return faults_run(wanted, argument_count > 2 ? arguments[2] : "") != 0;
	if (argument_count > 2) preemptions = (unsigned)strtoul(arguments[2], NULL, 10);
	if (!preemptions) preemptions = 1;
	return scenarios_run(wanted, false, &count) != 0 || !count;
}
