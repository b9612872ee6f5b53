// SPDX-License-Identifier: BSD-2-Clause
// Running alone: a ticket lock, and one flag from each core to each other.
#include <cpu/lock.h>

#include <base/panic.h>
#include <cpu/clock.h>
#include <cpu/context.h>
#include <cpu/platform.h>
#include <cpu/registers.h>
#include <x86/apic.h>

enum { ANSWER_WAIT_US = 1000000 };

static uint32_t seen(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static void show(uint32_t *word, uint32_t value) {
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

// Until the other core has cleared its word.
static void wait_for(const struct cpu *other, const uint32_t *word) {
	uint64_t end = NACRE_DEBUG ? clock_now() + ANSWER_WAIT_US * clock_ticks_per_us() : 0;

	while (seen(word)) {
		if (NACRE_DEBUG && clock_now() > end)
			panic("core %u does not answer; its program was last at %lx", other->number,
				((const struct context *)other->current)->rip);
		cpu_relax();
	}
}

// Does what the core that runs alone has asked for.
static void serve(struct cpu_lock *own) {
	if (!seen(&own->asked)) return cpu_relax();
	own->work(own->argument);
	show(&own->asked, false);
}

// Until it is this core's turn.
[[gnu::noinline]] static void wait_for_turn(struct cpu *cpu, uint32_t ticket, bool restarts) {
	struct cpu_lock *own = &cpu->lock;

	own->restarts = restarts;
	show(&own->is_waiting, true);
	while (seen(&cpu->platform->lock.serving) != ticket)
		serve(own);
	show(&own->is_waiting, false);
	own->restarts = false;
}

// The exchange is visible before the look at the other's mark (SDM 3A 9.2.3.4, 9.2.3.9).
bool kernel_enter_alone(struct cpu *cpu, bool restarts) {
	struct platform *platform = cpu->platform;
	bool is_idle = !cpu->charged_context;
	uint32_t ticket;

	core_leave(cpu);
	ticket = __atomic_fetch_add(&platform->lock.next, 1, __ATOMIC_RELAXED);
	if (unlikely(seen(&platform->lock.serving) != ticket)) wait_for_turn(cpu, ticket, restarts);
	for (struct cpu **peer = cpu->peers; *peer; peer++) {
		(void)__atomic_exchange_n(&(*peer)->lock.hold, true, __ATOMIC_SEQ_CST);
		if (unlikely(seen(&(*peer)->lock.is_inside)))
			wait_for(*peer, &(*peer)->lock.is_inside);
	}
	if (NACRE_DEBUG) cpu->lock.is_alone = true;
	return is_idle || cpu->charged_context;
}

[[gnu::noinline]] static void interrupt(uint64_t cores) {
	for (; cores; cores &= cores - 1) {
		const struct cpu *other = this_cpu()->platform->cores[__builtin_ctzl(cores)];

		if (!seen(&other->lock.is_waiting))
			apic_send(other->start.apic_id, VECTOR_CORE | COMMAND_ASSERT);
	}
}

void kernel_leave_alone(struct cpu *cpu) {
	struct platform *platform = cpu->platform;
	uint32_t hold = platform->lock.is_always_held;

	if (unlikely(cpu->woken)) interrupt(cpu->woken);
	cpu->woken = 0;
	if (NACRE_DEBUG) cpu->lock.is_alone = false;
	for (struct cpu **peer = cpu->peers; *peer; peer++)
		show(&(*peer)->lock.hold, hold);
	show(&platform->lock.serving, platform->lock.serving + 1);
}

void cores_call(uint64_t cores, core_work *work, void *argument) {
	struct cpu *const *all = this_cpu()->platform->cores;

	cores &= ~BIT(this_cpu()->number);
	for (uint64_t left = cores; left; left &= left - 1) {
		struct cpu_lock *lock = &all[__builtin_ctzl(left)]->lock;

		lock->work = work;
		lock->argument = argument;
		show(&lock->asked, true);
	}
	interrupt(cores);
	for (; cores; cores &= cores - 1)
		wait_for(all[__builtin_ctzl(cores)], &all[__builtin_ctzl(cores)]->lock.asked);
}
