// SPDX-License-Identifier: BSD-2-Clause
// Running a guest: the system call VMEnter, loading the VCPU, and what each VM exit means.
#include <object/vcpu.h>

#include <abi/syscall.h>
#include <base/memory.h>
#include <cpu/bases.h>
#include <ipc/notification.h>
#include <sched/schedule.h>
#include <memory/space.h>

// VPIDs are given out upwards on first entry. When they are used up, all begin anew: the CPU
// forgets every linear translation and each VCPU gets another number. VPID 0 is the host's.
static void assign_vpid(struct vcpu *vcpu) {
	uint64_t *last = &this_cpu()->last_vpid;

	if ((uint16_t)++ * last == 0) {
		++*last;
		vmx_invalidate_vpid(0);
	}
	vcpu->vpid = *last;
	vmcs_write(VMCS_VPID, (uint16_t)*last);
}

static void prepare_translations(struct vcpu *vcpu, const struct thread *thread) {
	uint64_t ept_pointer = vmx_ept_pointer(
		space_guest_root(&thread->slots[THREAD_GUEST_SPACE].cap));

	if (unlikely(ept_pointer != vcpu->ept_pointer)) {
		vcpu->ept_pointer = ept_pointer;
		vmcs_write(VMCS_EPT_POINTER, ept_pointer);
	}
	if (!vmx_has_vpid()) return;
	if (unlikely(vcpu->vpid >> 16 != this_cpu()->last_vpid >> 16))
		assign_vpid(vcpu);
	else if (vcpu->is_stale)
		vmx_invalidate_vpid((uint16_t)vcpu->vpid);
	vcpu->is_stale = false;
}

// The VMX-preemption timer serves both the client, who may use it as VCPU-20 says, and the kernel,
// whose deadline must end a guest's turn also where its interrupt does not: some machines hold
// interrupts back while a guest that was entered with RFLAGS.IF clear keeps it so.
[[gnu::always_inline]] static inline void timer_start(const struct cpu *cpu, struct vcpu *vcpu) {
	uint64_t count = cpu->deadline > cpu->now ? cpu->deadline - cpu->now : 0;

	if (unlikely(!vmx_has_timer())) return;
	count = (count >> vmx_timer_rate()) + 1;
	if (count > UINT32_MAX) count = UINT32_MAX;
	if (unlikely(vcpu->pin & PIN_TIMER)) {
		vcpu->timer_is_clients = vcpu->timer_left <= count;
		if (vcpu->timer_is_clients) count = vcpu->timer_left;
		vcpu->timer_start = tsc_read();
	} else {
		vcpu->timer_is_clients = false;
	}
	vmcs_write(VMCS_PREEMPTION_TIMER, count);
}

static void timer_stop(struct vcpu *vcpu) {
	uint64_t used;

	used = (tsc_read() >> vmx_timer_rate()) - (vcpu->timer_start >> vmx_timer_rate());
	vcpu->timer_left = used < vcpu->timer_left ? vcpu->timer_left - (uint32_t)used : 0;
}

// VMEnter returns: the next one begins with the client's value, which is what is left if its exit
// controls say so.
static void timer_reset(struct vcpu *vcpu) {
	if (vcpu->exit & EXIT_SAVE_TIMER) vcpu->timer_value = vcpu->timer_left;
	vcpu->timer_left = vcpu->timer_value;
}

// Reports

// In place of the reason of an external interrupt, which no monitor sees.
enum { REASON_NOTIFICATION = VCPU_EXIT_NOTIFICATION };

// Words 0 to 2 of VMEnter as the guest stands, in the registers of messages (SYS-1).
static void store_words(struct thread *thread, const struct vcpu *vcpu) {
	thread->context.r10 = vmcs_read(VMCS_GUEST_RIP);
	thread->context.r8 = vcpu->primary;
	thread->context.r9 = vmcs_read(VMCS_ENTRY_INTERRUPTION);
}

static void report_words(
	struct thread *thread, const struct vcpu *vcpu, uint32_t reason, uint64_t qualification) {
	struct ipc_buffer *buffer = thread->buffer_to_write;
	uint64_t *word;

	store_words(thread, vcpu);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
	if (reason == REASON_NOTIFICATION) return;
	thread->context.r15 = reason;
	*context_tag(&thread->context) = VM_ENTER_FAULT;
	if (!buffer) return;
	word = buffer->message + MESSAGE_REGISTERS;
	*word++ = reason == UINT32_MAX ? UINT64_MAX : qualification;
	*word++ = vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	*word++ = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	*word++ = vmcs_read(VMCS_GUEST_RFLAGS);
	*word++ = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	*word++ = vmcs_read(VMCS_GUEST_CR3);
	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		word[i] = vcpu->registers[vcpu_register_order[i]];
}

static bool is_rare(uint32_t reason) {
	const uint64_t rare = BIT(REASON_EXCEPTION) | BIT(REASON_NOTIFICATION) |
		BIT(REASON_GUEST_STATE);

	return reason >= 64 || rare >> reason & 1;
}

// What the exit record of the page has of rare exits.
[[gnu::noinline]] static uint32_t report_rarely(
	struct vcpu *vcpu, uint32_t reason, uint64_t *qualification) {
	struct vcpu_state_page *page = vcpu->page;

	if (reason == REASON_EXCEPTION) {
		vcpu_page_save_exception(page);
		return reason;
	}
	vcpu_page_save_event(vcpu);
	if (reason == UINT32_MAX) {
		*qualification = vmcs_read(VMCS_INSTRUCTION_ERROR);
		return VCPU_EXIT_CONTROLS_INVALID;
	}
	if (reason < VCPU_EXIT_REASONS) return reason;
	*qualification = reason;
	return VCPU_EXIT_OTHER;
}

[[gnu::always_inline]] static inline void report_page(
	struct thread *thread, struct vcpu *vcpu, uint32_t reason, uint64_t qualification) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_ADDRESS;
	struct vcpu_state_page *page = vcpu->page;
	uint64_t wanted;

	page->event = (struct vcpu_event){};
	if (unlikely(is_rare(reason))) reason = report_rarely(vcpu, reason, &qualification);
	wanted = word_read_once(&page->save[reason]);
	page->reason = reason;
	page->instruction_length = (uint32_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	page->qualification = qualification;
	if (wanted & VCPU_GROUP_RIP) page->rip = vmcs_read(VMCS_GUEST_RIP);
	if (wanted & VCPU_GROUP_RFLAGS) {
		page->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
		page->interruptibility = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	}
	if (wanted & VCPU_GROUP_ADDRESS) {
		page->physical = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
		page->linear = vmcs_read(VMCS_GUEST_LINEAR_ADDRESS);
	}
	if (unlikely(wanted & ~often)) vcpu_page_save(vcpu, wanted & ~often);
	page->saved = wanted;
	*context_tag(&thread->context) = reason;
}

// The system call of thread returns.
static void report(
	struct thread *thread, struct vcpu *vcpu, uint32_t reason, uint64_t qualification) {
	thread->state = THREAD_RUNNING;
	timer_reset(vcpu);
	if (likely(vcpu->by_page))
		report_page(thread, vcpu, reason, qualification);
	else
		report_words(thread, vcpu, reason, qualification);
}

// A signal was pending, so the guest was not entered: the words of VMEnter stay as they are.
static void report_signal(struct thread *thread, struct vcpu *vcpu) {
	if (vcpu->by_page) return report(thread, vcpu, REASON_NOTIFICATION, 0);
	timer_reset(vcpu);
	*context_tag(&thread->context) = VM_ENTER_NOTIFICATION;
}

// Entering

static void prepare(struct cpu *cpu, struct vcpu *vcpu, const struct thread *thread) {
	if (cpu->guest != vcpu && cpu->mitigations & MITIGATION_BIT(IBPB))
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	cpu->guest = vcpu;
	if (unlikely(cpu->space_root != vcpu->host_cr3)) {
		vcpu->host_cr3 = cpu->space_root;
		vmcs_write(VMCS_HOST_CR3, vcpu->host_cr3 & ~CR3_KEEP);
	}
	prepare_translations(vcpu, thread);
	vcpu_state_prepare(cpu, vcpu);
	if (features_switch_fast()) cpu->guest_prepared = vcpu;
}

// The registers get the guest's state. What VM entry loads by itself is not here.
[[gnu::always_inline]] static inline void enter(struct cpu *cpu, struct vcpu *vcpu) {
	// A program may have changed its bases; they give way to the guest's.
	if (likely(cpu->bases_loaded > 1)) {
		bases_save_fast(&cpu->current->context);
		if (cpu->fpu_allowed != &vcpu->fpu) fpu_give_guest(cpu, &vcpu->fpu);
	} else {
		if (cpu->bases_loaded) bases_save(&cpu->current->context);
		fpu_give(&vcpu->fpu);
	}
	cpu->bases_loaded = false;
	if (unlikely(vcpu->xcr0 != vcpu->fpu.xcr0)) xcr0_write(vcpu->xcr0);
	if (unlikely(dr6_read() != vcpu->dr6)) dr6_write(vcpu->dr6);
	if (cr2_read() != vcpu->cr2) cr2_write(vcpu->cr2);
	timer_start(cpu, vcpu);
}

bool vcpu_prepare(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu = thread->vcpu;

	vcpu_load(vcpu);
	if (notification_take_bound(thread)) {
		report(thread, vcpu, REASON_NOTIFICATION, 0);
		return false;
	}
	prepare(cpu, vcpu, thread);
	enter(cpu, vcpu);
	return true;
}

// VMEnter and VCPURun

static void take_words(struct vcpu *vcpu, const struct context *context) {
	vmcs_write(VMCS_GUEST_RIP, vcpu_clean_rip(context->r10));
	vcpu_set_primary(vcpu, context->r8);
	vmcs_write(VMCS_ENTRY_INTERRUPTION, context->r9);
}

static uint64_t take_dirty(struct vcpu_state_page *page) {
	uint64_t dirty = word_read_once(&page->dirty);

	page->dirty = 0;
	return dirty;
}

bool vcpu_enter(struct thread *thread, uint64_t number) {
	struct vcpu *vcpu = thread->vcpu;
	int refused = -1;

	vcpu->by_page = number == (uint64_t)SYSCALL_VCPU_RUN;
	if (vcpu->by_page && !vcpu->page) return false;
	vcpu_load(vcpu);
	if (vcpu->by_page)
		refused = vcpu_page_load(vcpu, take_dirty(vcpu->page));
	else if (likely(thread->buffer_to_read))
		take_words(vcpu, &thread->context);
	if (refused >= 0)
		report(thread, vcpu, VCPU_EXIT_VALUE_REFUSED, (unsigned)refused);
	else if (notification_take_bound(thread))
		report_signal(thread, vcpu);
	else
		thread->state = THREAD_IN_GUEST;
	return true;
}

bool vcpu_run_fast(struct cpu *cpu, struct thread *thread) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_RSP |
		VCPU_GROUP_WINDOWS | VCPU_GROUP_EVENT;
	const struct notification *notification = thread->notification;
	struct vcpu *vcpu = thread->vcpu;
	struct vcpu_state_page *page;
	uint64_t dirty;

	if (unlikely(!vcpu || vcpu != cpu->guest_prepared || !vcpu->page ||
		    cpu->space_root != vcpu->host_cr3 || (notification && notification->is_active)))
		return false;
	page = vcpu->page;
	dirty = word_read_once(&page->dirty);
	if (unlikely(dirty & ~often)) return false;
	if (dirty & VCPU_GROUP_RIP)
		vmcs_write(VMCS_GUEST_RIP, vcpu_clean_rip(word_read_once(&page->rip)));
	dirty &= ~(uint64_t)VCPU_GROUP_RIP;
	page->dirty = dirty;
	if (unlikely(dirty)) {
		if (vcpu_page_load(vcpu, dirty) >= 0) return false; // and is still dirty
		page->dirty = 0;
	}
	vcpu->by_page = true;
	thread->state = THREAD_IN_GUEST;
	enter(cpu, vcpu);
	return true;
}

// VM exits

// The guest goes on. A thread that has to execute VMEnter again does that with these words.
static unsigned stay(const struct vcpu *vcpu, unsigned outcome) {
	if (!vcpu->by_page) store_words(vcpu->thread, vcpu);
	return outcome;
}

static unsigned leave(struct vcpu *vcpu, uint32_t reason, uint64_t qualification) {
	struct thread *thread = vcpu->thread;

	schedule_update_time();
	if (unlikely(!vcpu->by_page)) {
		report(thread, vcpu, reason, qualification);
	} else {
		thread->state = THREAD_RUNNING;
		if (unlikely(vcpu->pin & PIN_TIMER)) timer_reset(vcpu);
		report_page(thread, vcpu, reason, qualification);
	}
	return GUEST_EXIT_DONE;
}

// The host's state returns to the registers.
static inline void state_leave(struct vcpu *vcpu) {
	vmcs_restore_limits();
	vcpu->cr2 = cr2_read();
	vcpu->dr6 = dr6_read();
	if (unlikely(vcpu->xcr0 != vcpu->fpu.xcr0)) xcr0_write(vcpu->fpu.xcr0);
	if (unlikely(vcpu->pin & PIN_TIMER)) timer_stop(vcpu);
}

unsigned vcpu_exit(struct vcpu *vcpu) {
	uint32_t full_reason, reason;

	state_leave(vcpu);
	if (unlikely(vcpu->entry_failed)) {
		vcpu->entry_failed = false;
		return leave(vcpu, UINT32_MAX, 0);
	}
	full_reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
	reason = full_reason & REASON_MASK;
	// A refused guest state leaves the VMCS as it was: the next entry launches again.
	if (likely(!(full_reason & REASON_ENTRY_FAILED))) {
		vcpu->launched = true;
	} else if (reason == REASON_MACHINE_CHECK) {
		vcpu_machine_check();
		return stay(vcpu, GUEST_EXIT_KERNEL);
	}
	if (reason == REASON_EXTERNAL_INTERRUPT) {
		vcpu_inject_again();
		return stay(vcpu, vmcs_read(VMCS_EXIT_INTERRUPTION) & INTERRUPTION_VECTOR);
	}
	if (reason == REASON_TIMER && !vcpu->timer_is_clients) {
		vcpu_inject_again();
		return stay(vcpu, GUEST_EXIT_KERNEL);
	}
	if (reason == REASON_EXCEPTION && vcpu_take_exception(vcpu))
		return stay(vcpu, GUEST_EXIT_KERNEL);
	return leave(vcpu, reason,
		full_reason & REASON_ENTRY_FAILED ? 0 : vmcs_read(VMCS_EXIT_QUALIFICATION));
}
