// SPDX-License-Identifier: BSD-2-Clause
// Several cores in one kernel. A kernel entry either runs alone, or is a fast path that stays with
// what belongs to its core (docs/architecture.md, "Several cores"). Who runs alone holds the
// kernel's lock, and no other core is inside a fast path: it may touch everything but what another
// core has in use outside the kernel, which is that core's current thread, and what its FPU, VMCS
// and TLBs hold. For those it has the core do the work (cores_call).
#pragma once

#include <base/bits.h>
#include <cpu/percpu.h>

// Words that cores tell each other something by.
static inline uint32_t load_acquire(const uint32_t *word) {
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void store_release(uint32_t *word, uint32_t value) {
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

// A fast path begins. False: another core runs alone, or wants to; the entry has to take its turn
// (kernel_enter). Marking must be visible before the look: a store alone may come after it (SDM 3A
// 9.2.3.4).
[[nodiscard]] static inline bool core_try_enter(struct cpu *cpu) {
	(void)__atomic_exchange_n(&cpu->lock.is_inside, 1u, __ATOMIC_SEQ_CST);
	return likely(!load_acquire(&cpu->lock.hold));
}

// It ends, also one that did not begin.
static inline void core_leave(struct cpu *cpu) { store_release(&cpu->lock.is_inside, false); }

// Waits for this core's turn and runs alone from then on, until kernel_leave(). restarts: the
// program executes its instruction once more if its thread is taken off this core meanwhile. False:
// the thread was. Nothing to do where no other core is up.
[[nodiscard]] bool kernel_enter_alone(struct cpu *cpu, bool restarts);
void kernel_leave_several(struct cpu *cpu);

[[nodiscard]] static inline bool kernel_enter(struct cpu *cpu, bool restarts) {
	return likely(!cpu->has_peers) || kernel_enter_alone(cpu, restarts);
}

// Other cores that got something to run are interrupted. An entry that stayed with what belongs to
// this core ends like a fast path.
static inline void kernel_leave(struct cpu *cpu) {
	if (unlikely(cpu->has_peers)) kernel_leave_several(cpu);
}

// The core has something new in its queues; if it is another one it is interrupted at the end.
static inline void core_wake(const struct cpu *cpu) {
	if (unlikely(cpu != this_cpu())) this_cpu()->woken |= BIT(cpu->number);
}

// It has to choose anew who runs, or to load something of the current thread.
static inline void core_request(struct cpu *cpu) {
	cpu->need_resched = true;
	core_wake(cpu);
}

// Whether this core may change what belongs to that one. Debug build.
[[nodiscard]] static inline bool core_may_touch(const struct cpu *cpu) {
	return cpu == this_cpu() || !this_cpu()->has_peers || this_cpu()->lock.is_alone;
}

enum { HOLD_ALWAYS = 1, HOLD_LATE = 2 }; // struct cpu_lock's rest

// Who runs alone has each of the cores in the set (bits by number) call work with argument, inside
// the kernel between two programs, and waits for all of them.
void cores_call(uint64_t cores, core_work *work, void *argument);
