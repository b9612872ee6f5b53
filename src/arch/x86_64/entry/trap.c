// SPDX-License-Identifier: BSD-2-Clause
// Each entry makes one call inward and ends with the scheduler's decision.
#include <entry/trap.h>

#include <check/check.h>
#include <kernel.h>
#include <sched/switch.h>
#include <syscall/syscall.h>
#include <thread/domain.h>
#include <object/vcpu.h>

enum {
	CALL_NUMBER_SHIFT = 24, // SYS-18
	CALL_NUMBER_EAX = 0xffffff,
	CALL_SIZE = 2, // INT n
};

// False: the current thread was taken off this core, which has nothing to do for it.
static inline bool enter(struct cpu *cpu, bool restarts) {
	bool is_here = kernel_enter(cpu, restarts);

	schedule_update_time();
	return is_here;
}

// The entry may stay with what belongs to this core, like a fast path: it is inside. Else, or if it
// finds that more is needed, it enters by enter(), which is right from there too.
static inline bool stays(struct cpu *cpu) {
	if (likely(!cpu->has_peers) || !core_try_enter(cpu)) return false;
	schedule_update_time();
	return turn_end_is_own(cpu);
}

static inline enum exit_path leave(void) {
	enum exit_path way = schedule();

	check_before_exit();
	kernel_leave(this_cpu());
	return way;
}

[[gnu::noinline]] enum exit_path trap_syscall(void) {
	struct cpu *cpu = this_cpu();
	bool may_stay = cpu->has_peers && syscall_may_stay(cpu);

	if ((may_stay && stays(cpu) && syscall_is_own(cpu)) || enter(cpu, true)) syscall_handle();
	return leave();
}

enum exit_path trap_call(struct slot *slot) {
	struct cpu *cpu = this_cpu();
	bool may_stay = cpu->has_peers && irq_is_acknowledged(slot, cpu->current);
	bool is_own = may_stay && stays(cpu);
	bool is_here = is_own || enter(cpu, true);

	if (unlikely(!is_own && cpu->lock.has_waited)) {
		cpu->lock.has_waited = false;
		if (is_here) syscall_handle(); // the capability may have gone
	} else if (likely(budget_is_left())) {
		syscall_call(this_thread(), slot);
	}
	return leave();
}

// The thread's first FPU instruction makes it a user of the FPU.
static bool takes_fpu(struct thread *thread) {
	if (thread->fpu_used || thread->flags & THREAD_FLAG_FPU_DISABLED) return false;
	thread->fpu_used = &thread->fpu;
	schedule_request();
	return true;
}

// Without budget left the thread runs into the exception again later.
static void raise(struct thread *thread, uint64_t vector, uint64_t code) {
	if (!budget_is_left() || (vector == VECTOR_NO_FPU && takes_fpu(thread))) return;
	exception_note(thread, vector, code);
	fault_raise(thread);
}

enum exit_path trap_exception(uint64_t vector, uint64_t code) {
	struct cpu *cpu = this_cpu();

	if ((stays(cpu) && fault_is_own(cpu)) || enter(cpu, true))
		raise(this_thread(), vector, code);
	return leave();
}

static void call_by_interrupt(struct thread *thread, uint64_t vector) {
	uint64_t number = vector << CALL_NUMBER_SHIFT | (thread->context.rax & CALL_NUMBER_EAX);

	fault_unknown_syscall(thread, (uint64_t)(int32_t)number);
}

// All cores go to the next domain together.
static void enter_for_time(struct cpu *cpu) {
	if (!stays(cpu) || cpu->kernel->domains.last) (void)enter(cpu, false);
}

static void timer_arrived(void) {
	clock_expired();
	schedule_request(); // the next deadline is to be set
	(void)budget_is_left();
	domain_timer_arrived();
}

// A vector in service at the APIC came from hardware. All others are a program's INT n, its
// exception, or spurious.
[[gnu::noinline]] static enum exit_path other_vector(uint64_t vector, uint64_t code) {
	struct thread *thread = this_thread();
	bool is_hardware = apic_is_in_service((unsigned)vector);
	bool is_call = vector >= VECTOR_CALL_FIRST && vector <= VECTOR_CALL_LAST && !is_hardware;
	bool has_time;

	if (is_call) thread->trap.fault_ip = thread->context.rip - CALL_SIZE;
	has_time = enter(this_cpu(), !is_hardware) && budget_is_left();
	if (vector == VECTOR_APIC_ERROR && is_hardware)
		print_debug("apic: error interrupt, status %x\n", apic_take_errors());
	if (vector == VECTOR_IOMMU && is_hardware && this_cpu()->platform->iommu)
		this_cpu()->platform->iommu->report_faults();
	else if (vector < VECTOR_EXCEPTIONS && !is_hardware && has_time)
		raise(thread, vector, code);
	else if (is_call && has_time)
		call_by_interrupt(thread, vector);
	else if (is_hardware || has_time)
		irq_count((unsigned)vector,
			vector == VECTOR_APIC_ERROR && is_hardware ? IRQ_LOST : IRQ_UNEXPECTED);
	if (is_hardware) apic_end_of_interrupt();
	return leave();
}

enum exit_path trap_interrupt(uint64_t vector, uint64_t code) {
	struct cpu *cpu = this_cpu();
	unsigned number;

	if (NACRE_DEBUG && feature_has(FEATURE_SMAP) && __builtin_ia32_readeflags_u64() & FLAGS_AC)
		panic("entered with SMAP switched off");
	if (vector >= VECTOR_USER_FIRST && vector <= VECTOR_USER_LAST) {
		number = (unsigned)vector - VECTOR_USER_FIRST;
		if (!stays(cpu) || !irq_is_own(number, cpu)) (void)enter(cpu, false);
		(void)budget_is_left();
		irq_arrived(number);
		return leave();
	}
	if (vector != VECTOR_TIMER && vector != VECTOR_CORE) return other_vector(vector, code);
	enter_for_time(cpu);
	if (vector == VECTOR_TIMER)
		timer_arrived();
	else
		(void)budget_is_left();
	apic_end_of_interrupt();
	return leave();
}

enum exit_path trap_idle(uint64_t vector) {
	if (vector < VECTOR_EXCEPTIONS && !apic_is_in_service((unsigned)vector))
		panic("exception %lu in the idle loop", vector);
	return trap_interrupt(vector, 0);
}

// Interrupts may be pending: after the deadline the timer's own, and Bochs withholds every
// interrupt from a guest that runs with IF clear. The idle loop takes them before anything else
// runs.
static enum exit_path guest_interrupted(void) {
	if (apic_is_pending()) return EXIT_TO_IDLE;
	enter_for_time(this_cpu());
	timer_arrived();
	return leave();
}

// What a guest and its monitor do to each other is this core's own business.
static inline bool begin(struct cpu *cpu) { return likely(!cpu->has_peers) || core_try_enter(cpu); }

enum exit_path trap_vcpu_run(void) {
	struct cpu *cpu = this_cpu();

	schedule_update_time();
	if (likely(cpu->now < cpu->next_event) && begin(cpu) && vcpu_run_fast(cpu, cpu->current)) {
		check_before_exit();
		core_leave(cpu);
		return EXIT_TO_GUEST;
	}
	return trap_syscall();
}

[[gnu::noinline]] static enum exit_path guest_exit_rare(uint64_t outcome) {
	if (outcome == GUEST_EXIT_KERNEL) return guest_interrupted();
	if (outcome < GUEST_EXIT_KERNEL) return trap_interrupt(outcome, 0);
	schedule_request(); // the program's registers are not loaded
	(void)enter(this_cpu(), false);
	return leave();
}

enum exit_path trap_guest_exit(void) {
	struct cpu *cpu = this_cpu();
	uint64_t outcome = vcpu_exit(cpu);

	if (unlikely(outcome < GUEST_EXIT_DONE || !begin(cpu) || !switch_to_monitor(cpu)))
		return guest_exit_rare(outcome);
	check_before_exit();
	core_leave(cpu);
	return EXIT_TO_USER;
}
