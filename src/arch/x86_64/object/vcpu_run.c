// SPDX-License-Identifier: BSD-2-Clause
// Running a guest: the system calls VMEnter and VCPURun, and what each VM exit means for the
// thread.
#include <object/vcpu.h>

#include <abi/syscall.h>
#include <ipc/notification.h>
#include <memory/space.h>
#include <sched/schedule.h>

// In place of the reason of an external interrupt, which no monitor sees.
static const struct guest_exit notified = {.reason = VCPU_EXIT_NOTIFICATION};

static void report_words(struct thread *thread, const struct vcpu *vcpu, struct guest_exit exit) {
	struct ipc_buffer *buffer = thread->buffer_to_write;
	uint64_t *word;

	guest_words_save(&vcpu->guest, &thread->context);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
	if (exit.reason == VCPU_EXIT_NOTIFICATION) return;
	thread->context.r15 = exit.reason;
	*context_tag(&thread->context) = VM_ENTER_FAULT;
	if (!buffer) return;
	word = guest_exit_words(exit, buffer->message + MESSAGE_REGISTERS);
	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		word[i] = vcpu->guest.registers[vcpu_register_order[i]];
}

// The system call of thread returns.
static void report(struct thread *thread, struct vcpu *vcpu, struct guest_exit exit) {
	thread->state = THREAD_RUNNING;
	guest_timer_end(&vcpu->guest);
	if (likely(vcpu->by_page))
		*context_tag(&thread->context) = guest_report(&vcpu->guest, exit);
	else
		report_words(thread, vcpu, exit);
}

bool vcpu_prepare(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu = thread->vcpu;

	guest_load(&vcpu->guest);
	if (notification_take_bound(thread)) {
		report(thread, vcpu, notified);
		return false;
	}
	guest_prepare(cpu, &vcpu->guest, space_guest_root(&thread->slots[THREAD_GUEST_SPACE].cap));
	guest_enter(cpu, &vcpu->guest, &cpu->current->context);
	return true;
}

// A signal was pending, so the guest was not entered: the words of VMEnter stay as they are.
static void report_signal(struct thread *thread, struct vcpu *vcpu) {
	if (vcpu->by_page) return report(thread, vcpu, notified);
	guest_timer_end(&vcpu->guest);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
}

bool vcpu_enter(struct thread *thread, uint64_t number) {
	struct vcpu *vcpu = thread->vcpu;
	struct guest *guest = &vcpu->guest;
	int refused = -1;

	vcpu->by_page = number == (uint64_t)SYSCALL_VCPU_RUN;
	if (vcpu->by_page && !guest->page) return false;
	guest_load(guest);
	if (vcpu->by_page)
		refused = guest_page_load(guest);
	else if (likely(thread->buffer_to_read))
		guest_words_load(guest, &thread->context);
	if (refused >= 0)
		report(thread, vcpu,
			(struct guest_exit){.reason = VCPU_EXIT_VALUE_REFUSED,
				.qualification = (unsigned)refused});
	else if (notification_take_bound(thread))
		report_signal(thread, vcpu);
	else
		thread->state = THREAD_IN_GUEST;
	return true;
}

bool vcpu_run_fast(struct cpu *cpu, struct thread *thread) {
	const struct notification *notification = thread->notification;
	struct vcpu *vcpu = thread->vcpu;

	if (unlikely(!vcpu || !guest_is_prepared(cpu, &vcpu->guest) || !vcpu->guest.page ||
		    (notification && notification->is_active) ||
		    !guest_page_load_fast(&vcpu->guest)))
		return false;
	vcpu->by_page = true;
	thread->state = THREAD_IN_GUEST;
	guest_enter(cpu, &vcpu->guest, &thread->context);
	return true;
}

unsigned vcpu_exit(struct guest *guest) {
	struct vcpu *vcpu = (struct vcpu *)((char *)guest - offsetof(struct vcpu, guest));
	struct guest_exit exit = guest_exit(guest);

	if (likely(exit.outcome == GUEST_EXIT_DONE)) {
		schedule_update_time();
		report(vcpu->thread, vcpu, exit);
	} else if (!vcpu->by_page) {
		// A thread that has to execute VMEnter again does that with these words.
		guest_words_save(guest, &vcpu->thread->context);
	}
	return exit.outcome;
}
