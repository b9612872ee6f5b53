// SPDX-License-Identifier: BSD-2-Clause
// Running a guest: the system call VMEnter, loading the VCPU, and what each VM exit means.
#include <object/vcpu.h>

#include <ipc/notification.h>
#include <sched/schedule.h>
#include <memory/space.h>

// Generation and, in the low 16 bits, the VPID given out last. VPIDs are given out upwards on first
// entry. When they are used up, all begin anew: the CPU forgets every linear translation and each
// VCPU gets another number. VPID 0 is the host's. Written by assign_vpid.
static uint64_t last_vpid = 1 << 16;

static void assign_vpid(struct vcpu *vcpu) {
	last_vpid++;
	if ((uint16_t)last_vpid == 0) {
		last_vpid++;
		vmx_invalidate_vpid(0);
	}
	vcpu->vpid = last_vpid;
	vmcs_write(VMCS_VPID, (uint16_t)last_vpid);
}

static void prepare_translations(struct vcpu *vcpu, const struct thread *thread) {
	uint64_t ept_pointer = vmx_ept_pointer(
		space_guest_root(&thread->slots[THREAD_GUEST_SPACE].cap));

	if (unlikely(ept_pointer != vcpu->ept_pointer)) {
		vcpu->ept_pointer = ept_pointer;
		vmcs_write(VMCS_EPT_POINTER, ept_pointer);
	}
	if (!vmx_has_vpid()) return;
	if (unlikely(vcpu->vpid >> 16 != last_vpid >> 16))
		assign_vpid(vcpu);
	else if (vcpu->is_stale)
		vmx_invalidate_vpid((uint16_t)vcpu->vpid);
	vcpu->is_stale = false;
}

// The VMX-preemption timer serves both the client, who may use it as VCPU-20 says, and the kernel,
// whose deadline must end a guest's turn also where its interrupt does not: some machines hold
// interrupts back while a guest that was entered with RFLAGS.IF clear keeps it so.
static void timer_start(struct vcpu *vcpu) {
	uint64_t now = tsc_read();
	uint64_t deadline = this_cpu()->deadline;
	uint64_t count = deadline > now ? ((deadline - now) >> vmx_timer_rate()) + 1 : 0;

	if (!vmx_has_timer()) return;
	if (count > UINT32_MAX) count = UINT32_MAX;
	vcpu->timer_is_clients = vcpu->pin & PIN_TIMER && vcpu->timer_left <= count;
	if (vcpu->timer_is_clients) count = vcpu->timer_left;
	vcpu->timer_start = now;
	vmcs_write(VMCS_PREEMPTION_TIMER, count);
}

static void timer_stop(struct vcpu *vcpu) {
	uint64_t used;

	if (!(vcpu->pin & PIN_TIMER)) return;
	used = (tsc_read() >> vmx_timer_rate()) - (vcpu->timer_start >> vmx_timer_rate());
	vcpu->timer_left = used < vcpu->timer_left ? vcpu->timer_left - (uint32_t)used : 0;
}

// VMEnter returns: the next one begins with the client's value, which is what is left if its exit
// controls say so.
static void timer_reset(struct vcpu *vcpu) {
	if (vcpu->exit & EXIT_SAVE_TIMER) vcpu->timer_value = vcpu->timer_left;
	vcpu->timer_left = vcpu->timer_value;
}

enum exit_path vcpu_prepare(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu = thread->vcpu;

	vcpu_load(vcpu);
	if (cpu->guest != vcpu && cpu->mitigations & MITIGATION_BIT(IBPB))
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	cpu->guest = vcpu;
	if (unlikely(cpu->space_root != vcpu->host_cr3)) {
		vcpu->host_cr3 = cpu->space_root;
		vmcs_write(VMCS_HOST_CR3, vcpu->host_cr3 & ~CR3_KEEP);
	}
	prepare_translations(vcpu, thread);
	vcpu_state_enter(vcpu);
	timer_start(vcpu);
	return EXIT_TO_GUEST;
}

// VMEnter

void vcpu_enter(struct thread *thread) {
	struct vcpu *vcpu = thread->vcpu;
	struct context *context = &thread->context;

	vcpu_load(vcpu);
	if (likely(thread->buffer_to_read)) {
		vmcs_write(VMCS_GUEST_RIP, vcpu_clean_rip(context->r10));
		vcpu_set_primary(vcpu, context->r8);
		vmcs_write(VMCS_ENTRY_INTERRUPTION, context->r9);
	}
	if (notification_take_bound(thread)) {
		timer_reset(vcpu);
		*context_tag(context) = VM_ENTER_NOTIFICATION;
		return;
	}
	thread->state = THREAD_IN_GUEST;
}

// Words 0 to 2 of VMEnter as the guest stands, in the registers of messages (VCPU-5).
static void store_words(struct thread *thread, const struct vcpu *vcpu) {
	thread->context.r10 = vmcs_read(VMCS_GUEST_RIP);
	thread->context.r8 = vcpu->primary;
	thread->context.r9 = vmcs_read(VMCS_ENTRY_INTERRUPTION);
}

static void return_words(struct thread *thread, struct vcpu *vcpu) {
	store_words(thread, vcpu);
	thread->state = THREAD_RUNNING;
	schedule_request(); // the thread's own registers are to be loaded
	timer_reset(vcpu);
}

void vcpu_notify(struct thread *thread) {
	vcpu_load(thread->vcpu);
	return_words(thread, thread->vcpu);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
}

void vcpu_pause(struct thread *thread) {
	vcpu_load(thread->vcpu);
	store_words(thread, thread->vcpu);
	thread->state = THREAD_RESTART;
}

// VM exits

// Reasons whose exit has a qualification that clients get (VCPU-6).
#define QUALIFIED \
	(BIT(REASON_EXCEPTION) | BIT(4) | BIT(REASON_TASK_SWITCH) | BIT(REASON_INVLPG) | \
		BIT(REASON_VMCLEAR) | BIT(REASON_VMPTRLD) | BIT(REASON_VMPTRST) | \
		BIT(REASON_VMREAD) | BIT(REASON_VMWRITE) | BIT(REASON_VMXON) | \
		BIT(REASON_CONTROL_REGISTER) | BIT(REASON_DEBUG_REGISTER) | BIT(REASON_IO) | \
		BIT(REASON_MWAIT) | BIT(REASON_TPR) | BIT(REASON_APIC_ACCESS) | \
		BIT(REASON_GDTR_IDTR) | BIT(REASON_LDTR_TR) | BIT(REASON_EPT_VIOLATION) | \
		BIT(REASON_INVEPT) | BIT(REASON_INVVPID))

static void tell_client(struct vcpu *vcpu, uint32_t reason, uint64_t qualification) {
	struct thread *thread = vcpu->thread;
	struct ipc_buffer *buffer = thread->buffer_to_write;
	uint64_t *word;

	return_words(thread, vcpu);
	thread->context.r15 = reason;
	*context_tag(&thread->context) = VM_ENTER_FAULT;
	if (!buffer) return;
	word = buffer->message + MESSAGE_REGISTERS;
	*word++ = qualification;
	*word++ = vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	*word++ = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	*word++ = vmcs_read(VMCS_GUEST_RFLAGS);
	*word++ = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	*word++ = vmcs_read(VMCS_GUEST_CR3);
	__builtin_memcpy(word, vcpu->registers, sizeof(vcpu->registers));
}

unsigned vcpu_exit(struct vcpu *vcpu) {
	uint32_t full_reason, reason;
	uint64_t qualification = 0;

	vcpu_state_leave(vcpu);
	timer_stop(vcpu);
	if (unlikely(vcpu->entry_failed)) {
		vcpu->entry_failed = false;
		schedule_update_time();
		tell_client(vcpu, UINT32_MAX, UINT64_MAX);
		return GUEST_EXIT_DONE;
	}
	full_reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
	reason = full_reason & REASON_MASK;
	// A refused guest state leaves the VMCS as it was: the next entry launches again.
	if (likely(!(full_reason & REASON_ENTRY_FAILED))) {
		vcpu->launched = true;
	} else if (reason == REASON_MACHINE_CHECK) {
		vcpu_machine_check();
		return GUEST_EXIT_KERNEL;
	}
	if (reason == REASON_EXTERNAL_INTERRUPT) {
		vcpu_inject_again();
		return vmcs_read(VMCS_EXIT_INTERRUPTION) & INTERRUPTION_VECTOR;
	}
	if (reason == REASON_TIMER && !vcpu->timer_is_clients) {
		vcpu_inject_again();
		return GUEST_EXIT_KERNEL;
	}
	if (reason == REASON_EXCEPTION && vcpu_take_exception(vcpu)) return GUEST_EXIT_KERNEL;
	if (reason < 64 && QUALIFIED >> reason & 1)
		qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	schedule_update_time();
	tell_client(vcpu, reason, qualification);
	return GUEST_EXIT_DONE;
}
