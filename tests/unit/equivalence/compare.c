// SPDX-License-Identifier: BSD-2-Clause
// Each system call twice: by its fast path and, from the same memory and the same machine state, by
// the slow path alone. The results must be equal, word for word. A fast path that gives up must
// have left everything unchanged.
#include "run.h"

#include "paths.h"
#include <base/compiler.h>
#include <cpu/percpu.h>
#include <entry/fastpath.h>
#include <entry/trap.h>
#include <ipc/endpoint.h>
#include <ipc/notification.h>
#include <sched/schedule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DIFFERENCES_SHOWN = 40,
	LEAST_PERCENT = 2, // of all operations must finish in each fast path
	LATE_PERCENT = 20, // of those that come late: the fast path alone, unlike any slow one
};

typedef void fast_path(uint64_t first, uint64_t second);
typedef enum exit_path slow_path(uint64_t first, uint64_t second);

static enum exit_path slow_syscall(uint64_t, uint64_t) { return trap_syscall(); }

static const struct fast_row {
	const char *name;
	int number; // of the system call; 0: exceptions
	fast_path *fast;
	slow_path *slow;
} fast_rows[] = {
	{"Call", SYSCALL_CALL, fastpath_call, slow_syscall},
	{"ReplyRecv", SYSCALL_REPLY_RECV, fastpath_reply_recv, slow_syscall},
	{"Send", SYSCALL_SEND, fastpath_send, slow_syscall},
	{"exception", 0, fastpath_exception, trap_exception},
};

_Static_assert(array_count(fast_rows) <= FAST_PATHS_MAX);

static void difference_print(const struct run *run, size_t word) {
	const uint64_t *address = memory_address(&run->memory, word);
	const struct world_object *object = world_object_at(&run->world, address);
	uint64_t cpu = (uint64_t)address - (uint64_t)this_cpu();
	uint64_t machine = (uint64_t)address - (uint64_t)&host;

	if (object)
		printf("  %s %u + 0x%lx", object->name, object->number,
			(uint64_t)address - object->start);
	else if (cpu < sizeof(struct cpu))
		printf("  cpu + 0x%lx", cpu);
	else if (machine < sizeof(host))
		printf("  machine + 0x%lx", machine);
	else
		printf("  static data at %p", (const void *)address);
}

// one: what the fast path left. other: what the slow path left, or for a fast path that gave up
// what was before.
[[gnu::noreturn]] static void differ(
	struct run *run, const char *name, const uint64_t *one, const uint64_t *other) {
	const struct thread *caller = (void *)*memory_word(
		&run->memory, run->before, &this_cpu()->current);
	const struct context *context = (void *)memory_word(
		&run->memory, run->before, &caller->context);
	unsigned shown = 0;

	printf("equivalence: seed %lu, operation %lu: %s of thread %u: the paths differ%s\n",
		run->seed, run->operations, name, world_number(&run->world, caller),
		other == run->before ? ", though the fast one gave up" : "");
	printf("  registers: rdx %ld rdi 0x%lx rsi 0x%lx r12 0x%lx\n", (int64_t)context->rdx,
		context->rdi, context->rsi, context->r12);
	for (size_t i = 0; i < run->memory.words && shown < DIFFERENCES_SHOWN; i++) {
		if (one[i] == other[i]) continue;
		difference_print(run, i);
		printf(": fast 0x%lx, slow 0x%lx, before 0x%lx\n", one[i], other[i],
			run->before[i]);
		shown++;
	}
	fflush(stdout);
	exit(1);
}

// Records which path it was; returns without doing so when there are too many.
static void ways_add(struct ways *ways, uint64_t path) {
	unsigned i = 0;

	ways->calls++;
	while (i < ways->count && ways->seen[i] != path)
		i++;
	if (i == ways->count && i < PATHS_MAX) ways->seen[ways->count++] = path;
}

// A fast path does not read the clock before it acts: what was ready at the last entry still is,
// and a turn that would end meanwhile ends with the timer's interrupt. So both paths are compared
// at a time when nothing is due: the present, or else that of the last entry. False: neither will
// do.
static bool clock_choose(void) {
	const struct cpu *cpu = this_cpu();

	if (host.now >= cpu->next_event) host.now = cpu->now;
	return host.now < cpu->next_event;
}

static uint64_t *fast_word(struct run *run, const void *address) {
	return memory_word(&run->memory, run->fast, address);
}

static void forgive(struct run *run, uint64_t *word) { *word = *fast_word(run, word) = 0; }

// Links of a thread in no queue have no meaning; the slow path may have queued it for a moment.
static void forgive_links(struct run *run, struct thread *thread) {
	bool waits = thread_is_blocked(thread) && thread->state != THREAD_BLOCKED_REPLY;

	if (waits || thread->is_queued || thread->is_released) return;
	forgive(run, (uint64_t *)&thread->queue.next);
	forgive(run, (uint64_t *)&thread->queue.previous);
}

static void forgive_all_links(struct run *run) {
	for (unsigned i = 0; i < CSPACE_SLOTS; i++) {
		struct cap *cap = &run->world.slots[i].cap;

		if (cap->type == CAP_THREAD) forgive_links(run, cap_thread(cap));
	}
	for (unsigned i = 0; i < THREADS; i++)
		forgive_links(run, run->world.threads[i]);
}

// The slow path may have charged a running round robin context up to now; the fast path may do that
// later. It is done here for the fast path, in the copy.
static void forgive_booking(struct run *run) {
	const struct cpu *cpu = this_cpu();
	struct sched_context *context = cpu->charged_context;
	uint64_t *charged_until = fast_word(run, &cpu->charged_until);
	uint64_t used = cpu->charged_until - *charged_until;
	uint64_t *amount;

	if (!context || !refill_is_round_robin(context)) return;
	if (*fast_word(run, &cpu->charged_context) != (uint64_t)context) return;
	amount = fast_word(run, &refill_head(context)->amount);
	*charged_until += used;
	*fast_word(run, &context->consumed) += used;
	*amount -= used < *amount ? used : *amount;
}

// Only the slow path says which core uses an object: on one core it is the same one. A sender where
// a cancellation stands (bit 0) is compared.
static void forgive_owner(struct run *run, const uint64_t *owner) {
	if (!(*owner & 1) && !(*fast_word(run, owner) & 1)) *fast_word(run, owner) = *owner;
}

static void forgive_owner_of(struct run *run, const struct cap *cap) {
	if (cap->type == CAP_ENDPOINT)
		forgive_owner(run, &((const struct endpoint *)cap_object(cap))->owner);
	if (cap->type == CAP_NOTIFICATION)
		forgive_owner(run, &((const struct notification *)cap_object(cap))->owner);
}

// Those of the world, and those that were made since.
static void forgive_owners(struct run *run) {
	for (unsigned i = 0; i < run->world.object_count; i++) {
		const struct world_object *object = &run->world.objects[i];

		if (strcmp(object->name, "endpoint") == 0)
			forgive_owner(run, &((const struct endpoint *)object->start)->owner);
		if (strcmp(object->name, "notification") == 0)
			forgive_owner(run, &((const struct notification *)object->start)->owner);
	}
	for (unsigned i = 0; i < CSPACE_SLOTS; i++)
		forgive_owner_of(run, &run->world.slots[i].cap);
}

// What may differ besides: the time of this entry, which some fast paths do not need; when the next
// entries must check more, which may be too early; selectors that a program loaded
// (bases_exchange).
static void forgive_all(struct run *run) {
	struct cpu *cpu = this_cpu();
	uint64_t *attention = fast_word(run, &cpu->next_event);

	*fast_word(run, &cpu->now) = cpu->now;
	if (*attention == *memory_word(&run->memory, run->before, &cpu->next_event) &&
		*attention < cpu->next_event)
		*attention = cpu->next_event;
	forgive(run, &host_core()->has_selectors);
	forgive_booking(run);
	forgive_all_links(run);
	forgive_owners(run);
}

static void check_alike(struct run *run, const struct fast_row *row, bool is_alike) {
	if (is_alike && memory_is(&run->memory, run->fast)) return;
	memory_save(&run->memory, run->start);
	differ(run, row->name, run->fast, run->start);
}

static void compare_finished(
	struct run *run, const struct fast_row *row, uint64_t first, uint64_t second) {
	bool is_alike;

	memory_save(&run->memory, run->fast);
	memory_restore(&run->memory, run->before);
	is_alike = row->slow(first, second) == EXIT_TO_USER;
	forgive_all(run);
	check_alike(run, row, is_alike);
	if (chance_percent(&run->chance, 50)) memory_restore(&run->memory, run->fast);
}

// The fast path gave up. If it had found the capability, the slow path continues from there, and
// must do what it does from the start.
static void compare_given_up(struct run *run, const struct fast_row *row, struct slot *slot,
	uint64_t first, uint64_t second) {
	enum exit_path way;

	// It may have read the clock.
	this_cpu()->now = *memory_word(&run->memory, run->before, &this_cpu()->now);
	if (!memory_is(&run->memory, run->before)) {
		memory_save(&run->memory, run->fast);
		differ(run, row->name, run->fast, run->before);
	}
	if (slot) {
		way = trap_call(slot);
		memory_save(&run->memory, run->fast);
		memory_restore(&run->memory, run->before);
		check_alike(run, row, row->slow(first, second) == way);
	} else {
		(void)row->slow(first, second);
	}
}

static void compare_row(struct run *run, unsigned number, uint64_t first, uint64_t second) {
	const struct fast_row *row = &fast_rows[number];
	struct fast_count *count = &run->counts[number];
	uint64_t now = host.now;
	bool is_due = now >= this_cpu()->next_event;
	bool is_late = is_due && (chance_percent(&run->chance, LATE_PERCENT) || !clock_choose());
	struct slot *slot;
	bool gave_up;
	uint64_t path;

	benchmark_enter(); // a fast path that gives up leaves that done
	memory_save(&run->memory, run->before);
	order_note(run);
	row->fast(first, second);
	slot = host_core()->slow_slot;
	gave_up = host_core()->slow;
	host_core()->slow = 0;
	host_core()->slow_slot = NULL;
	path = path_take();
	ways_add(gave_up ? &count->given_up : &count->finished, path);
	if (!gave_up) order_check(run, row->name);
	if (gave_up)
		compare_given_up(run, row, slot, first, second);
	else if (!is_late)
		compare_finished(run, row, first, second);
	host.now = now;
}

// False: there is no fast path for it.
static bool compare(struct run *run, int64_t number, uint64_t first, uint64_t second) {
	for (unsigned i = 0; i < array_count(fast_rows); i++) {
		if (fast_rows[i].number != number) continue;
		compare_row(run, i, first, second);
		return true;
	}
	return false;
}

void compare_call(struct run *run) {
	const struct context *context = &this_cpu()->current->context;

	run->operations++;
	if (!context->rdx || !compare(run, (int64_t)context->rdx, context->rdi, context->rsi))
		(void)trap_syscall();
}

void compare_exception(struct run *run, unsigned vector, unsigned code) {
	run->operations++;
	if (!compare(run, 0, vector, code)) (void)trap_exception(vector, code);
}

bool compare_report(const struct run *run) {
	bool is_enough = true;

	printf("equivalence: seed %lu, %lu operations, fast and slow path alike", run->seed,
		run->operations);
	for (unsigned i = 0; i < array_count(fast_rows); i++) {
		const struct fast_count *count = &run->counts[i];

		printf("; %s fast %.1f %% in %u ways, gives up %.1f %% in %u", fast_rows[i].name,
			100.0 * (double)count->finished.calls / (double)run->operations,
			count->finished.count,
			100.0 * (double)count->given_up.calls / (double)run->operations,
			count->given_up.count);
		is_enough &= count->finished.calls * 100 >= run->operations * LEAST_PERCENT;
	}
	printf("\n");
	if (!is_enough)
		printf("equivalence: a fast path was taken in less than %u %%: too few to judge\n",
			(unsigned)LEAST_PERCENT);
	return is_enough;
}
