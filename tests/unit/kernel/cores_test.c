// SPDX-License-Identifier: BSD-2-Clause
// Several cores and kernel images in one program: each is an instance of struct cpu or struct
// kernel.
#include "test.h"
#include "world.h"

#include <ipc/wait.h>
#include <kernel.h>
#include <memory/space.h>
#include <cpu/lock.h>
#include <sched/refill.h>
#include <sched/schedule.h>
#include <thread/life.h>

enum { TCB = 1, CONTEXT, CONTROL, NOTIFICATION, HANDLER, OTHER_HANDLER, WINDOW, VECTOR = 3 };

static struct cpu other;
static struct kernel other_kernel;

// A thread of the other core, with time of its own; the test runs on the first core.
static struct thread *start(void) {
	const struct refill_queue parameters = {.budget = 50000, .period = 100000, .maximum = 2};
	struct thread *thread;

	world_start(16);
	host_start_core(&other, this_cpu()->kernel);
	check(world_make(OBJECT_TCB, 0, TCB, 1) == ERROR_NONE);
	check(world_make(OBJECT_SCHED_CONTEXT, 8, CONTEXT, 1) == ERROR_NONE);
	thread = cap_thread(&world.slots[TCB].cap);
	check(thread->cpu == this_cpu());
	thread->cpu = &other;
	thread->priority = 7;
	refill_start(cap_object(&world.slots[CONTEXT].cap), &parameters, host.now);
	sched_context_bind_thread(cap_object(&world.slots[CONTEXT].cap), thread);
	this_cpu()->need_resched = other.need_resched = false;
	this_cpu()->lock.is_alone = true;
	return thread;
}

static void check_untouched(void) {
	const struct cpu *cpu = this_cpu();

	check(cpu->ready_top == -1 && !cpu->candidate && !cpu->scheduler.release);
	check(!cpu->need_resched && cpu->current == cpu->scheduler.idle);
}

static void thread_runs_there(void) {
	struct thread *thread = start();
	struct cpu *here;

	thread_resume(thread);
	check(other.candidate == thread);
	check_untouched();
	here = host_use_core(&other);
	check(schedule_choose(&other) == thread);
	other.current = thread;
	run_queue_check();
	(void)host_use_core(here);
	check(other.scheduler.idle != here->scheduler.idle);
}

static void thread_is_queued_there(void) {
	struct thread *thread = start();

	thread->state = THREAD_RUNNING;
	schedule_enqueue_first(thread);
	check(other.ready_top == 7 && other.need_resched && other.scheduler.ready[7] == thread);
	thread_set_priority(thread, 9);
	check(other.ready_top == 9 && other.scheduler.ready[9] == thread);
	check_untouched();
	thread_suspend(thread);
	check(other.ready_top == -1 && !thread->is_queued);
	check_untouched();
}

static void thread_waits_there(void) {
	struct thread *thread = start();

	refill_head(thread->sched_context)->time = host.now + 1000000;
	thread_resume(thread);
	check(other.scheduler.release == thread && other.need_resched && !other.candidate);
	check_untouched();
	schedule_dequeue(thread);
	check(!other.scheduler.release);
}

static enum error irq_get(unsigned handler) {
	return world_call(&(struct call){.slot = CONTROL,
		.label = LABEL_IRQ_CONTROL_GET_MSI,
		.length = 7,
		.caps = 1,
		.words = {handler, 12, 0, 0, 0, 0, VECTOR},
		.cap_slots = {WINDOW}});
}

// What one image's interrupt table holds does not concern the other's.
static void images_share_nothing(void) {
	struct cap cap;
	struct cpu *here;

	(void)start();
	host_start_core(&other, &other_kernel);
	derive_insert_original(&world.slots[CONTROL], cap_make(CAP_IRQ_CONTROL, NULL), NULL);
	cap = cap_make(CAP_CNODE, world.slots);
	cap.size_bits = 12;
	derive_insert_original(&world.slots[WINDOW], cap, NULL);
	check(irq_get(HANDLER) == ERROR_NONE && irq_get(OTHER_HANDLER) == ERROR_REVOKE_FIRST);
	here = host_use_core(&other);
	check(irq_get(OTHER_HANDLER) == ERROR_NONE);
	(void)host_use_core(here);
	check(here->kernel->irqs.rows[VECTOR].state != IRQ_FREE);
	check(other_kernel.irqs.rows[VECTOR].state != IRQ_FREE);
}

// A space that the other core has not loaded: it is not interrupted, and forgets as it enters,
// before it can load the same root with another PCID.
static void forgets_late(void) {
	const physical_t root = physical(0x5000);
	struct cpu *here;

	(void)start();
	this_kernel()->asids.cores[5] = BIT(other.number);
	check(kernel_enter(this_cpu(), false));
	space_forget(space_paging(SPACE_HOST), root, 5, 0x400000);
	check(other.late_space == (root.value | 5) && other.lock.rest == HOLD_LATE);
	check(!host.cores[other.number].interrupts);
	kernel_leave(this_cpu());
	check(other.lock.hold && !host.cores[other.number].interrupts);
	here = host_use_core(&other);
	check(!core_try_enter(&other));
	check(kernel_enter(&other, false));
	check(!other.late_space && !other.lock.hold && !other.lock.rest);
	kernel_leave(&other);
	check(core_try_enter(&other));
	core_leave(&other);
	(void)host_use_core(here);
}

static const struct test rows[] = {
	{"CORES010", "a space that another core has not loaded is forgotten there later",
		forgets_late},
	{"CORES001", "a thread that becomes able to run is a candidate on its own core",
		thread_runs_there},
	{"CORES002", "its place in the ready queues, priority and end are its core's",
		thread_is_queued_there},
	{"CORES003", "without budget it waits in its core's release queue", thread_waits_there},
	{"CORES004", "two kernel images share no interrupt table", images_share_nothing},
};

TESTS(cores_tests);
