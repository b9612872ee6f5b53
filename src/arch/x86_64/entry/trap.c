// SPDX-License-Identifier: BSD-2-Clause
// Each entry calls inward once and ends with the scheduler's decision.
#include <entry/trap.h>

#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/apic.h>
#include <cpu/clock.h>
#include <cpu/context.h>
#include <cpu/segments.h>
#include <kernel/fault.h>
#include <kernel/irq.h>
#include <kernel/schedule.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <object/vcpu.h>

enum {
	PAGE_FAULT_CODE = 0x1f, // faults.md 7
	CALL_NUMBER_SHIFT = 24, // faults.md 5
	CALL_NUMBER_EAX = 0xffffff,
	CALL_SIZE = 2, // INT n
};

enum way_out trap_syscall(uint64_t number) {
	syscall_handle(number);
	return schedule();
}

enum way_out trap_exception(void) {
	struct thread *thread = this_cpu()->current;
	const struct context *context = &thread->context;

	schedule_update_time();
	// Without budget left the thread runs into the exception again later.
	if (schedule_check_budget()) {
		if (context->vector == VECTOR_PAGE_FAULT)
			fault_vm(thread, context->fault_address,
				context->error_code & PAGE_FAULT_CODE);
		else
			fault_user_exception(thread, context->vector, context->error_code);
	}
	return schedule();
}

static void call_by_interrupt(uint64_t vector) {
	struct thread *thread = this_cpu()->current;
	uint32_t number = (uint32_t)vector << CALL_NUMBER_SHIFT;

	thread->context.fault_ip = thread->context.rip - CALL_SIZE;
	if (!schedule_check_budget()) return;
	number |= (uint32_t)thread->context.rax & CALL_NUMBER_EAX;
	fault_unknown_syscall(thread, (uint64_t)(int64_t)(int32_t)number);
}

static void timer_arrived(uint64_t vector) {
	(void)vector;
	clock_expired();
	schedule_timer();
	apic_end_of_interrupt();
}

static void device_arrived(uint64_t vector) {
	(void)schedule_check_budget();
	irq_arrived((unsigned)vector - VECTOR_USER_FIRST);
	apic_end_of_interrupt();
}

static void apic_error_arrived(uint64_t vector) {
	(void)vector;
	trace("apic: error interrupt\n");
	apic_end_of_interrupt();
}

struct vector_row {
	uint8_t first;
	uint8_t last;
	void (*arrived)(uint64_t vector);
};

// What is in no row is spurious: it needs no answer, not even the APIC's.
static const struct vector_row vector_rows[] = {
	{VECTOR_USER_FIRST, VECTOR_USER_LAST, device_arrived},
	{VECTOR_TIMER, VECTOR_TIMER, timer_arrived},
	{VECTOR_CALL_FIRST, VECTOR_CALL_LAST, call_by_interrupt},
	{VECTOR_APIC_ERROR, VECTOR_APIC_ERROR, apic_error_arrived},
};

enum way_out trap_interrupt(uint64_t vector) {
	schedule_update_time();
	for (unsigned i = 0; i < array_count(vector_rows); i++) {
		if (vector >= vector_rows[i].first && vector <= vector_rows[i].last)
			vector_rows[i].arrived(vector);
	}
	return schedule();
}

// The timer's own interrupt is mostly pending too. Bochs keeps every interrupt from a guest that
// runs with IF clear, so others may be: the idle loop takes them before anything goes on.
static enum way_out guest_deadline(void) {
	if (apic_is_pending()) return WAY_OUT_IDLE;
	schedule_update_time();
	clock_expired();
	schedule_timer();
	return schedule();
}

enum way_out trap_guest_exit(void) {
	struct guest_exit_verdict verdict = vcpu_exit(this_cpu()->guest);

	if (verdict.kind == GUEST_EXIT_INTERRUPT) return trap_interrupt(verdict.vector);
	if (verdict.kind == GUEST_EXIT_DEADLINE) return guest_deadline();
	return schedule();
}

void trap_in_kernel(const struct kernel_frame *frame) {
	print("\nregisters of the kernel:\n");
	print("  rip %016lx rsp %016lx rflags %08lx cs %lx ss %lx\n", frame->rip, frame->rsp,
		frame->rflags, frame->cs, frame->ss);
	print("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", frame->rax, frame->rbx, frame->rcx,
		frame->rdx);
	print("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", frame->rsi, frame->rdi, frame->rbp,
		frame->r8);
	print("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", frame->r9, frame->r10, frame->r11,
		frame->r12);
	print("  r13 %016lx r14 %016lx r15 %016lx\n", frame->r13, frame->r14, frame->r15);
	panic("exception %lu, code %lx, in the kernel", frame->vector, frame->error_code);
}
