// SPDX-License-Identifier: BSD-2-Clause
// Running alone: a ticket lock, and one flag from each core to each other.
#include <cpu/lock.h>

#include <cpu/clock.h>
#include <cpu/context.h>
#include <cpu/pcid.h>
#include <cpu/platform.h>
#include <x86/apic.h>

enum { ANSWER_WAIT_US = 1000000, LOOK_US = 100 };

// Debug build: this core has looked once more at what it waits for; null: for its turn, so for the
// core that runs alone. Time between two looks that are far apart does not count: a hypervisor took
// this core away, so the other as well.
[[gnu::noinline]] static void look(const struct cpu *other, uint32_t seen) {
	struct cpu_lock *own = &this_cpu()->lock;
	uint64_t us = clock_ticks_per_us(), passed = clock_now() - own->looked;

	own->looked += passed;
	own->waited = seen != own->seen ? 0 : own->waited + (passed < LOOK_US * us ? passed : 0);
	own->seen = seen;
	if (own->waited < ANSWER_WAIT_US * us) return;
	for (const struct cpu *next = this_cpu()->lock.next; !other && next != this_cpu();
		next = next->lock.next)
		if (next->lock.is_alone) other = next;
	if (other)
		panic("core %u does not answer; its program was last at %lx", other->number,
			((const struct context *)other->current)->rip);
}

// Until the other core has cleared its word. Inline, as a call would have every slow path save
// registers.
[[gnu::always_inline]] static inline void wait_for(const struct cpu *other, const uint32_t *word) {
	if (NACRE_DEBUG) this_cpu()->lock.waited = 0;
	while (load_acquire(word)) {
		if (NACRE_DEBUG) look(other, true);
		cpu_relax();
	}
}

// Does what the core that runs alone has asked for.
static void serve(struct cpu_lock *own) {
	if (!load_acquire(&own->asked)) return cpu_relax();
	own->work(own->argument);
	store_release(&own->asked, false);
}

// Until it is this core's turn. False: its thread was taken meanwhile.
static bool wait_for_turn(struct cpu *cpu, uint32_t ticket, bool restarts) {
	struct cpu_lock *own = &cpu->lock;
	bool is_idle = !cpu->charged_context;

	core_leave(cpu);
	own->restarts = restarts;
	store_release(&own->is_waiting, true);
	if (NACRE_DEBUG) own->waited = 0;
	for (uint32_t now; (now = load_acquire(&cpu->platform->lock.serving)) != ticket;) {
		serve(own);
		if (NACRE_DEBUG) look(NULL, now);
	}
	store_release(&own->is_waiting, false);
	own->restarts = false;
	own->has_waited = true;
	return is_idle || cpu->charged_context;
}

// Before this core can load the space's root again, which may have got another PCID.
static void forget_late(struct cpu *cpu) {
	pcid_invalidate(
		physical(cpu->late_space & PAGING_ADDRESS), cpu->late_space % PCIDS, EVERY_PAGE);
	cpu->late_space = 0;
	store_release(&cpu->lock.hold, cpu->lock.rest &= HOLD_ALWAYS);
}

// It is this core's turn. The exchange is visible before the look at the other's mark (SDM 3A
// 9.2.3.4, 9.2.3.9).
static inline void begin_alone(struct cpu *cpu) {
	struct cpu *other = cpu->lock.next;

	core_leave(cpu);
	do {
		(void)__atomic_fetch_or(&other->lock.hold, true, __ATOMIC_SEQ_CST);
		if (unlikely(load_acquire(&other->lock.is_inside)))
			wait_for(other, &other->lock.is_inside);
		other = other->lock.next;
	} while (other != cpu);
	if (NACRE_DEBUG) cpu->lock.is_alone = true;
}

// There is something to wait for, or to forget.
[[gnu::noinline]] static bool enter_rarely(struct cpu *cpu, uint32_t ticket, bool restarts) {
	bool is_next = load_acquire(&cpu->platform->lock.serving) == ticket;
	bool is_here = is_next || wait_for_turn(cpu, ticket, restarts);

	begin_alone(cpu);
	if (cpu->late_space) forget_late(cpu);
	return is_here;
}

// As long as this core is inside, no core begins to run alone: what a fast path has found is still
// there if its turn comes at once. What is frequent calls nothing, so that it saves no registers.
[[gnu::hot]] bool kernel_enter_alone(struct cpu *cpu, bool restarts) {
	struct platform *platform = cpu->platform;
	uint32_t ticket = __atomic_fetch_add(&platform->lock.next, 1, __ATOMIC_ACQ_REL);
	uint64_t away = load_acquire(&platform->lock.serving) ^ ticket;
	uint64_t late = __atomic_load_n(&cpu->late_space, __ATOMIC_RELAXED);

	if (unlikely(away | late)) return enter_rarely(cpu, ticket, restarts);
	begin_alone(cpu);
	return true;
}

// Those that do not wait in the kernel anyway.
static void interrupt(const struct platform *platform, uint64_t cores) {
	for (; cores; cores &= cores - 1) {
		const struct cpu *other = platform->cores[__builtin_ctzl(cores)];

		if (!load_acquire(&other->lock.is_waiting))
			apic_send(other->start.apic_id, VECTOR_CORE | COMMAND_ASSERT);
	}
}

static void end_alone(struct cpu *cpu) {
	struct platform *platform = cpu->platform;
	struct cpu *other = cpu->lock.next;

	if (NACRE_DEBUG) cpu->lock.is_alone = false;
	do {
		store_release(&other->lock.hold, other->lock.rest);
		other = other->lock.next;
	} while (other != cpu);
	store_release(&platform->lock.serving, platform->lock.serving + 1);
}

[[gnu::noinline]] static void leave_rarely(struct cpu *cpu) {
	if (cpu->lock.is_inside) return core_leave(cpu);
	interrupt(cpu->platform, cpu->woken);
	cpu->woken = 0;
	end_alone(cpu);
}

[[gnu::noinline]] void kernel_leave_several(struct cpu *cpu) {
	if (unlikely(cpu->woken | cpu->lock.is_inside)) return leave_rarely(cpu);
	end_alone(cpu);
}

void cores_call(uint64_t cores, core_work *work, void *argument) {
	struct cpu *const *all = this_cpu()->platform->cores;

	if (cores & BIT(this_cpu()->number)) work(argument);
	cores &= ~BIT(this_cpu()->number);
	for (uint64_t left = cores; left; left &= left - 1) {
		struct cpu_lock *lock = &all[__builtin_ctzl(left)]->lock;

		lock->work = work;
		lock->argument = argument;
		store_release(&lock->asked, true);
	}
	interrupt(this_cpu()->platform, cores);
	for (; cores; cores &= cores - 1)
		wait_for(all[__builtin_ctzl(cores)], &all[__builtin_ctzl(cores)]->lock.asked);
}
