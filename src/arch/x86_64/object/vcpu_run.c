// SPDX-License-Identifier: BSD-2-Clause
// Running a guest: the system calls VMEnter and VCPURun, and what each VM exit means for the
// thread.
#include <object/vcpu.h>

#include <abi/syscall.h>
#include <ipc/notification.h>
#include <memory/space.h>
#include <sched/schedule.h>

static void report_words(struct thread *thread, struct vcpu *vcpu, uint64_t reason) {
	struct ipc_buffer *buffer = thread->buffer_to_write;
	uint64_t *word;

	guest_engine()->words_save(&vcpu->guest, &thread->context);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
	if (reason == VCPU_EXIT_NOTIFICATION) return;
	thread->context.r15 = reason;
	*context_tag(&thread->context) = VM_ENTER_FAULT;
	if (!buffer) return;
	word = guest_engine()->exit_words(
		&vcpu->guest, reason, buffer->message + MESSAGE_REGISTERS);
	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		word[i] = vcpu->guest.registers[vcpu_register_order[i]];
}

// The system call of thread returns with the reason that the engine has reported.
static void finish(struct thread *thread, struct vcpu *vcpu, uint64_t reason) {
	thread->state = THREAD_RUNNING;
	if (likely(vcpu->guest.by_page))
		*context_tag(&thread->context) = reason;
	else
		report_words(thread, vcpu, reason);
}

// It returns with what is no exit of the guest.
static void report(struct thread *thread, uint64_t reason, uint64_t qualification) {
	struct vcpu *vcpu = thread->vcpu;

	finish(thread, vcpu, guest_engine()->report(&vcpu->guest, reason, qualification));
}

bool vcpu_is_own(const struct thread *thread) { return thread->vcpu->guest.cpu == thread->cpu; }

bool vcpu_prepare(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct guest *guest = &thread->vcpu->guest;

	guest_load(guest);
	if (notification_take_bound(thread)) {
		report(thread, VCPU_EXIT_NOTIFICATION, 0);
		return false;
	}
	if (!guest_is_prepared(cpu, guest))
		guest_prepare(cpu, guest, space_guest_root(&thread->slots[THREAD_GUEST_SPACE].cap));
	cpu->engine->enter(cpu, guest, &cpu->current->context, 0);
	return true;
}

// A signal was pending, so the guest was not entered: the words of VMEnter stay as they are.
static void report_signal(struct thread *thread, struct guest *guest) {
	uint64_t reason = guest_engine()->report(guest, VCPU_EXIT_NOTIFICATION, 0);

	*context_tag(&thread->context) = guest->by_page ? reason : (uint64_t)VM_ENTER_NOTIFICATION;
}

bool vcpu_enter(struct thread *thread, uint64_t number) {
	const struct guest_engine *engine = guest_engine();
	struct guest *guest = &thread->vcpu->guest;
	int refused = -1;

	guest->by_page = number == (uint64_t)SYSCALL_VCPU_RUN;
	if (guest->by_page && !guest->page) return false;
	guest_load(guest);
	if (guest->by_page)
		refused = guest_page_load(guest);
	else if (likely(thread->buffer_to_read))
		engine->words_load(guest, &thread->context);
	if (refused >= 0)
		report(thread, VCPU_EXIT_VALUE_REFUSED, (unsigned)refused);
	else if (notification_take_bound(thread))
		report_signal(thread, guest);
	else
		thread->state = THREAD_IN_GUEST;
	return true;
}

bool vcpu_run_fast(struct cpu *cpu, struct thread *thread) {
	const struct notification *notification = thread->notification;
	struct guest *guest;
	uint64_t dirty;

	if (unlikely(!thread->vcpu || (notification && notification->is_active))) return false;
	guest = &thread->vcpu->guest;
	if (unlikely(!guest_is_prepared(cpu, guest) || !guest->page)) return false;
	dirty = READ_ONCE(guest->page->dirty);
	// RIP alone is loaded on the way in. Other groups may be refused, or have the guest
	// prepared again.
	if (unlikely(dirty & ~(uint64_t)VCPU_GROUP_RIP)) {
		if (guest_page_load(guest) >= 0 || guest != cpu->guest_prepared) return false;
		dirty = 0;
	}
	guest->page->dirty = 0;
	guest->by_page = true;
	thread->state = THREAD_IN_GUEST;
	cpu->engine->enter(cpu, guest, &thread->context, dirty);
	return true;
}

uint64_t vcpu_exit(struct cpu *cpu) {
	struct guest *guest = cpu->guest;
	struct vcpu *vcpu = (struct vcpu *)((char *)guest - offsetof(struct vcpu, guest));
	uint64_t outcome = cpu->engine->exit(guest);

	if (likely(outcome >= GUEST_EXIT_DONE)) {
		schedule_update_time();
		finish(vcpu->thread, vcpu, outcome - GUEST_EXIT_DONE);
	} else if (!guest->by_page) {
		// A thread that has to execute VMEnter again does that with these words.
		cpu->engine->words_save(guest, &vcpu->thread->context);
	}
	return outcome;
}
