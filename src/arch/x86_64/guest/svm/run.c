// SPDX-License-Identifier: BSD-2-Clause
// Into a guest and out of it (APM 2 15.5, 15.6).
#include <guest/svm/internal.h>

enum { ERROR_CONTROLS = 7 }; // VM-instruction error

// The core's map of MSRs; generations of ASIDs begin with 1 on each.
static void arrive(struct guest *guest) {
	guest->svm.vmcb->msr_map = physical_of_image(this_cpu()->msr_map).value;
	guest->svm.asid = 0;
}

static void create(struct guest *guest, void *control, const void *io_bitmap) {
	struct svm_guest *svm = &guest->svm;
	struct vmcb *vmcb = svm->vmcb = control;

	svm->block = physical_of(control).value;
	guest->fetched = &vmcb->instruction_count;
	svm->primary = SVM_PRIMARY_MUST;
	svm->secondary = SVM_SECONDARY_MUST;
	vmcb->io_map = physical_of(io_bitmap).value;
	arrive(guest);
	vmcb->nested_control = 1;
	vmcb->extensions = svm_has(SVM_LBR);
	vmcb->efer = EFER_SVME;
	vmcb->cr4 = CR4_MCE;
	svm_set_intercepts(guest);
}

// Entering

static void prepare_translations(const struct cpu *cpu, struct guest *guest, physical_t space) {
	struct svm_guest *svm = &guest->svm;

	if (svm->vmcb->nested_cr3 != space.value) guest->is_stale = true;
	svm->vmcb->nested_cr3 = space.value;
	if (svm->asid >> 16 != cpu->last_tag >> 16 ||
		(guest->is_stale && !svm_has(SVM_FLUSH_BY_ASID)))
		svm_assign_asid(guest);
	else if (guest->is_stale)
		svm->vmcb->tlb_control = TLB_CONTROL_FLUSH_ASID;
	guest->is_stale = false;
}

static void prepare(struct cpu *cpu, struct guest *guest, physical_t space) {
	prepare_translations(cpu, guest, space);
	if (NACRE_DEBUG) cpu->host_vmcb.lstar = msr_read(MSR_LSTAR); // DebugFastPaths changes it
	guest->host_root = cpu->space_root; // VMRUN saves it
	guest->svm.vmcb->clean = 0;
}

static void enter(struct cpu *cpu, struct guest *guest, struct context *context, uint64_t dirty) {
	struct svm_guest *svm = &guest->svm;

	guest_switch_in(cpu, guest, context);
	if (dirty & VCPU_GROUP_RIP) svm->vmcb->rip = guest_clean_rip(READ_ONCE(guest->page->rip));
	if (unlikely(svm->event & INTERRUPTION_VALID || svm->primary & PRIMARY_NMI_WINDOW))
		svm_events_enter(guest);
	svm->vmcb->rax = guest->registers[0];
	if (unlikely(svm->tsc_aux != cpu->tsc_aux)) msr_write(MSR_TSC_AUX, svm->tsc_aux);
}

// Words of VMEnter

static void words_save(const struct guest *guest, struct context *context) {
	context->r10 = guest->svm.vmcb->rip;
	context->r8 = guest->svm.primary;
	context->r9 = guest->svm.event;
}

static void words_load(struct guest *guest, const struct context *context) {
	guest->svm.vmcb->rip = guest_clean_rip(context->r10);
	(void)svm_set_primary(guest, context->r8);
	guest->svm.event = (uint32_t)context->r9;
}

static uint64_t *exit_words(struct guest *guest, uint64_t reason, uint64_t *word) {
	const struct vmcb *vmcb = guest->svm.vmcb;

	*word++ = reason == GUEST_ENTRY_REFUSED ? UINT64_MAX : svm_qualification(vmcb, reason);
	*word++ = guest->svm.instruction_length;
	*word++ = vmcb->exit_information[1];
	*word++ = vmcb->rflags;
	*word++ = svm_blocking(guest);
	*word++ = vmcb->cr3;
	return word;
}

// The record of an exit, or of what is none of the CPU

static uint64_t report(struct guest *guest, uint64_t reason, uint64_t qualification) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_ADDRESS;
	const struct svm_guest *svm = &guest->svm;
	const struct vmcb *vmcb = svm->vmcb;
	struct vcpu_state_page *page = guest->page;
	uint64_t wanted;

	if (unlikely(!guest->by_page)) return reason;
	if (unlikely(reason == GUEST_ENTRY_REFUSED)) {
		reason = VCPU_EXIT_CONTROLS_INVALID;
		qualification = svm->instruction_error;
	}
	wanted = READ_ONCE(page->save[reason]);
	page->reason = (uint32_t)reason;
	page->instruction_length = svm->instruction_length;
	page->qualification = qualification;
	page->event = (struct vcpu_event){svm->event, svm->event_error};
	if (reason == VCPU_EXIT_EXCEPTION)
		page->exception = (struct vcpu_event){
			svm_exception(vmcb), (uint32_t)vmcb->exit_information[0]};
	if (wanted & VCPU_GROUP_RIP) page->rip = vmcb->rip;
	if (wanted & VCPU_GROUP_RFLAGS) {
		page->rflags = vmcb->rflags;
		page->interruptibility = svm_blocking(guest);
	}
	if (wanted & VCPU_GROUP_ADDRESS) page->physical = vmcb->exit_information[1];
	page->saved = wanted;
	if (unlikely(wanted & ~often)) guest_page_save(guest, wanted & ~often);
	return reason;
}

// Leaving

// Nothing ran, and perhaps nothing was flushed.
static uint64_t refused(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	bool by_event = svm->event & INTERRUPTION_VALID && !svm_event_is_valid(svm->event);

	(void)svm_events_exit(guest, false);
	svm_invalidate();
	svm->vmcb->clean = 0;
	svm->instruction_length = 0;
	svm->instruction_error = by_event ? ERROR_CONTROLS : 0;
	return by_event ? (uint64_t)GUEST_ENTRY_REFUSED : VCPU_EXIT_STATE_INVALID;
}

// Exits that are none for the monitor become NOTIFICATION.
static uint64_t reason_of(struct guest *guest) {
	struct svm_guest *svm = &guest->svm;
	uint64_t code = svm->vmcb->exit_code, reason;

	if (unlikely((uint32_t)code == SVM_EXIT_INVALID)) return refused(guest);
	svm->instruction_length = svm_instruction_length(svm->vmcb);
	if (unlikely(svm->event || svm->steps) && svm_events_exit(guest, true))
		return VCPU_EXIT_NMI_WINDOW;
	reason = svm_reason(svm->vmcb);
	if (likely(reason != VCPU_EXIT_EXCEPTION && reason != VCPU_EXIT_OTHER)) return reason;
	if (code == SVM_EXIT_IRET) svm_iret(guest);
	if (code == SVM_EXIT_IRET || code == SVM_EXIT_INTERRUPT || code == SVM_EXIT_INIT) {
		svm_inject_again(guest);
		return VCPU_EXIT_NOTIFICATION;
	}
	if (reason == VCPU_EXIT_EXCEPTION && svm_take_exception(guest))
		return VCPU_EXIT_NOTIFICATION;
	return reason;
}

// Not every emulator lets XSETBV exit.
static void xcr0_leave(struct guest *guest) {
	uint64_t value = xcr0_read();

	if (value != guest->fpu.xcr0) xcr0_write(guest->fpu.xcr0);
	if (unlikely(value != guest->xcr0) && guest_xcr0_write(guest, &value)) guest->xcr0 = value;
}

static uint64_t leave(struct guest *guest) {
	const struct cpu *cpu = this_cpu();
	struct svm_guest *svm = &guest->svm;
	uint64_t reason;

	guest->registers[0] = svm->vmcb->rax;
	svm->vmcb->clean = UINT32_MAX;
	svm->vmcb->tlb_control = TLB_CONTROL_KEEP;
	xcr0_leave(guest);
	if (unlikely(guest->msr_access[GUEST_MSR_TSC_AUX] & VCPU_MSR_WRITE))
		svm->tsc_aux = msr_read(MSR_TSC_AUX);
	if (unlikely(svm->tsc_aux != cpu->tsc_aux)) msr_write(MSR_TSC_AUX, cpu->tsc_aux);
	reason = reason_of(guest);
	// The interrupt, or INIT, comes when the host can take it.
	if (reason == VCPU_EXIT_NOTIFICATION) return GUEST_EXIT_KERNEL;
	return GUEST_EXIT_DONE + report(guest, reason, svm_qualification(svm->vmcb, reason));
}

static void nothing(struct guest *) {}

const struct guest_engine guest_svm = {
	.init = svm_init,
	.paging = &paging_npt,
	.msrs = GUEST_MSR_EFER, // that would show AMD-V's own bit
	.map_next = 2, // APM 2 15.11
	.map_high = 2 * MSR_MAP_MSRS,
	.map_write = 1,
	.create = create,
	.arrive = arrive,
	.unload = nothing,
	.load = nothing,
	.prepare = prepare,
	.enter = enter,
	.exit = leave,
	.report = report,
	.timer_reset = nothing,
	.fields = svm_fields,
	.field_made = svm_field_made,
	.field_write = svm_field_write,
	.words_load = words_load,
	.words_save = words_save,
	.exit_words = exit_words,
};
