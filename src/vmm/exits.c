// SPDX-License-Identifier: BSD-2-Clause
// VM exits (SDM 3D, appendix C): what each reason means for this machine.
#include <vmm/exits.h>

#include <vmm/host/log.h>
#include <vmm/vcpu/mmio.h>
#include <vmm/vcpu/port.h>

#include <abi/vcpu.h>

#include <base/compiler.h>

#define LEAF_FEATURES 1u

enum ept_qualification {
	EPT_FETCH = 1 << 2,
	EPT_FINAL_ACCESS = 1 << 8, // clear: the access was to a guest page-table entry or pointer
	EPT_UNBLOCKED_NMI = 1 << 12, // as INFORMATION_UNBLOCKED_NMI
};

enum {
	INFORMATION_UNBLOCKED_NMI = 1 << 12, // IRET had ended NMI blocking when the event came
	DR6_STATUS = 0xe00f,
	DR6_RTM = 1 << 16,
	DR7_DETECT = 1 << 13,
};

static void exit_pass(struct processor *) {}

static void exit_skip(struct processor *processor) {
	vcpu_advance(&processor->vcpu, processor->vcpu.length);
}

static void exit_invalid_opcode(struct processor *processor) {
	vcpu_raise(&processor->vcpu, EXCEPTION_INVALID_OPCODE);
}

static void exit_protection(struct processor *processor) {
	vcpu_raise_with_code(&processor->vcpu, EXCEPTION_GENERAL_PROTECTION, 0);
}

static void inject_software(struct vcpu *vcpu, uint32_t event) {
	host_state_write(VCPU_STATE_ENTRY_INSTRUCTION_LENGTH, vcpu->length);
	vcpu_inject(vcpu, event);
}

static void set_nmi_blocking(struct vcpu *vcpu, uint64_t blocking) {
	vcpu->interruptibility = (vcpu->interruptibility & ~(uint64_t)BLOCKING_BY_NMI) | blocking;
	vcpu->changed |= VCPU_CHANGED_INTERRUPTIBILITY;
}

// An event was being delivered when the exit came: deliver it again with the next entry.
static void redeliver(struct vcpu *vcpu, uint32_t vectoring) {
	uint32_t event = vectoring & (EVENT_VECTOR | EVENT_TYPE | EVENT_ERROR_CODE);
	if (!(vectoring & EVENT_VALID)) return;
	if (vectoring & EVENT_ERROR_CODE)
		host_vmcs_write(
			VMCS_ENTRY_ERROR_CODE, host_vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE));
	// The delivery of an NMI blocks NMIs, and VM entry injects none while they are blocked.
	if ((event & EVENT_TYPE) == EVENT_NMI) set_nmi_blocking(vcpu, 0);
	if ((event & EVENT_TYPE) >= EVENT_SOFTWARE_INTERRUPT)
		inject_software(vcpu, event);
	else
		vcpu_inject(vcpu, event);
}

// A benign exception takes the place of the event that was being delivered. Faults and software
// interrupts come again by themselves; what came from outside must be kept.
static void keep_displaced(struct processor *processor, uint32_t vectoring) {
	if (!(vectoring & EVENT_VALID)) return;
	if ((vectoring & EVENT_TYPE) == EVENT_EXTERNAL)
		lapic_withdraw(&processor->lapic, vectoring & EVENT_VECTOR);
	else if ((vectoring & EVENT_TYPE) == EVENT_NMI)
		processor->lapic.nmi_pending = true;
}

// What the CPU does to debug registers when it delivers #DB, and leaves to us when that exits.
static void raise_debug(struct vcpu *vcpu) {
	uint64_t status = host_state_read(VCPU_STATE_DR6) & ~0xfull;
	host_state_write(VCPU_STATE_DR6, status | DR6_RTM | (vcpu->qualification & DR6_STATUS));
	uint64_t control = host_vmcs_read(VMCS_GUEST_DR7);
	if (control & DR7_DETECT) host_vmcs_write(VMCS_GUEST_DR7, control & ~(uint64_t)DR7_DETECT);
	if (host_vmcs_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BRANCH_STEP)
		host_vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	// VM entry demands a pending single step in the shadow of STI or MOV SS, and the exit for
	// #DB does not leave it (SDM 3C 27.3.1.5). The injection discards it.
	if ((vcpu->rflags & RFLAGS_TRAP) && vcpu_in_shadow(vcpu))
		vcpu_add_pending_debug(vcpu, PENDING_DEBUG_STEP);
	vcpu_raise(vcpu, EXCEPTION_DEBUG);
}

// INT1 is an instruction that is completed by the exception: the return address is behind it.
static void raise_int1(struct vcpu *vcpu) {
	vcpu_leave_shadow(vcpu);
	inject_software(vcpu, EVENT_PRIVILEGED_SOFTWARE | EXCEPTION_DEBUG);
}

static void exit_exception(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	uint32_t information = (uint32_t)host_vmcs_read(VMCS_EXIT_INTERRUPTION);
	uint32_t vectoring = (uint32_t)host_vmcs_read(VMCS_IDT_VECTORING);
	uint32_t vector = information & EVENT_VECTOR;
	if ((information & EVENT_TYPE) == EVENT_NMI) {
		// The host's, and the kernel has dealt with it.
		redeliver(vcpu, vectoring);
		return;
	}
	if ((information & INFORMATION_UNBLOCKED_NMI) && !(vectoring & EVENT_VALID))
		set_nmi_blocking(vcpu, BLOCKING_BY_NMI);
	keep_displaced(processor, vectoring);
	if ((information & EVENT_TYPE) == EVENT_PRIVILEGED_SOFTWARE)
		raise_int1(vcpu);
	else if (vector == EXCEPTION_DEBUG)
		raise_debug(vcpu);
	else if (vector == EXCEPTION_ALIGNMENT)
		vcpu_raise_with_code(vcpu, EXCEPTION_ALIGNMENT, 0);
	else
		machine_stop(processor, "machine check (exception %u)", vector);
}

static void exit_triple_fault(struct processor *processor) {
	machine_stop(processor, "triple fault");
}

static void exit_task_switch(struct processor *processor) {
	machine_stop(processor, "hardware task switch, which no 64-bit guest uses");
}

static void exit_cpuid(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	struct cpuid_words words;
	uint32_t leaf = (uint32_t)vcpu->registers[X86_RAX];
	uint32_t subleaf = (uint32_t)vcpu->registers[X86_RCX];
	const struct cpuid_guest guest = {
		// Only the feature leaf mirrors CR4; reading it costs a system call.
		.cr4 = leaf == LEAF_FEATURES ? host_vmcs_read(VMCS_GUEST_CR4) : 0,
		.xcr0 = processor->control.xcr0,
		.apic_enabled = lapic_hardware_enabled(&processor->lapic),
	};
	cpuid_answer(&processor->machine->cpuid, &guest, leaf, subleaf, &words);
	vcpu_set_register(vcpu, X86_RAX, words.eax);
	vcpu_set_register(vcpu, X86_RBX, words.ebx);
	vcpu_set_register(vcpu, X86_RCX, words.ecx);
	vcpu_set_register(vcpu, X86_RDX, words.edx);
	vcpu_advance(vcpu, vcpu->length);
}

static void exit_hlt(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	vcpu_advance(vcpu, vcpu->length);
	// A debug exception that follows ends the halt at once.
	if (vcpu->debug_pending) return;
	if (!(vcpu->rflags & RFLAGS_INTERRUPT) && !processor->lapic.nmi_pending) {
		machine_stop(processor, "halted with interrupts disabled");
		return;
	}
	// Settling looks for a pending interrupt before it pauses, so none is slept through.
	vcpu->run = VCPU_HALTED;
}

static void exit_control_register(struct processor *processor) {
	control_register_exit(&processor->control, &processor->vcpu);
}

static void exit_xsetbv(struct processor *processor) {
	control_xsetbv_exit(&processor->control, &processor->vcpu);
}

static void exit_io(struct processor *processor) {
	port_perform(&processor->vcpu, &processor->machine->memory, &processor->memory_bus,
		&processor->machine->port_bus);
}

static void exit_rdmsr(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	uint32_t number = (uint32_t)vcpu->registers[X86_RCX];
	uint64_t value;
	enum msr_result result = msr_read(&processor->msrs, number, &value);
	if (result == MSR_UNKNOWN)
		log_guest("guest read unknown MSR %x at %lx: #GP", number, vcpu->rip);
	if (result != MSR_DONE) {
		exit_protection(processor);
		return;
	}
	vcpu_set_register(vcpu, X86_RAX, (uint32_t)value);
	vcpu_set_register(vcpu, X86_RDX, value >> 32);
	vcpu_advance(vcpu, vcpu->length);
}

static void exit_wrmsr(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	uint32_t number = (uint32_t)vcpu->registers[X86_RCX];
	uint64_t value = vcpu->registers[X86_RDX] << 32 | (uint32_t)vcpu->registers[X86_RAX];
	enum msr_result result = msr_write(&processor->msrs, number, value);
	if (result == MSR_UNKNOWN)
		log_guest(
			"guest wrote %lx to unknown MSR %x at %lx: #GP", value, number, vcpu->rip);
	if (result == MSR_DONE)
		vcpu_advance(vcpu, vcpu->length);
	else
		exit_protection(processor);
}

static void exit_ept_violation(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	uint64_t kind = vcpu->qualification;
	uint64_t where = vcpu->physical;
	if (host_vmcs_read(VMCS_IDT_VECTORING) & EVENT_VALID) {
		machine_stop(
			processor, "event delivery uses address %lx, where no memory is", where);
	} else if (kind & EPT_FETCH) {
		machine_stop(processor, "execution at address %lx, where no memory is", where);
	} else if (!(kind & EPT_FINAL_ACCESS)) {
		machine_stop(processor, "page tables at address %lx, where no memory is", where);
	} else {
		if (kind & EPT_UNBLOCKED_NMI) set_nmi_blocking(vcpu, BLOCKING_BY_NMI);
		if (!bus_claims(&processor->memory_bus, where))
			log_guest("guest touched address %lx, where no memory is", where);
		if (mmio_perform(vcpu, &processor->machine->memory, &processor->memory_bus)) return;
		log_guest("instruction at %lx cannot access device memory: #UD", vcpu->rip);
		vcpu_raise(vcpu, EXCEPTION_INVALID_OPCODE);
	}
}

static void exit_ept_misconfiguration(struct processor *processor) {
	machine_stop(processor, "EPT misconfiguration at address %lx", processor->vcpu.physical);
}

static void exit_entry_failed(struct processor *processor) {
	machine_stop(processor, "VM entry failed, reason %u, qualification %lx",
		processor->vcpu.reason, processor->vcpu.qualification);
}

static void (*const exit_rows[EXIT_REASONS])(struct processor *processor) = {
	[EXIT_EXCEPTION_OR_NMI] = exit_exception,
	[EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[EXIT_INIT] = exit_pass, // for the host's boot processor; the guest is not meant
	[EXIT_SIPI] = exit_pass,
	[EXIT_INTERRUPT_WINDOW] = exit_pass, // settling injects
	[EXIT_NMI_WINDOW] = exit_pass,
	[EXIT_TASK_SWITCH] = exit_task_switch,
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_GETSEC] = exit_invalid_opcode,
	[EXIT_HLT] = exit_hlt,
	[EXIT_INVD] = exit_skip, // throwing caches away would hurt the host
	[EXIT_RDPMC] = exit_protection,
	[EXIT_RSM] = exit_invalid_opcode,
	[EXIT_VMCALL] = exit_invalid_opcode,
	[EXIT_VMCLEAR] = exit_invalid_opcode,
	[EXIT_VMLAUNCH] = exit_invalid_opcode,
	[EXIT_VMPTRLD] = exit_invalid_opcode,
	[EXIT_VMPTRST] = exit_invalid_opcode,
	[EXIT_VMREAD] = exit_invalid_opcode,
	[EXIT_VMRESUME] = exit_invalid_opcode,
	[EXIT_VMWRITE] = exit_invalid_opcode,
	[EXIT_VMXOFF] = exit_invalid_opcode,
	[EXIT_VMXON] = exit_invalid_opcode,
	[EXIT_CONTROL_REGISTER] = exit_control_register,
	[EXIT_IO] = exit_io,
	[EXIT_RDMSR] = exit_rdmsr,
	[EXIT_WRMSR] = exit_wrmsr,
	[EXIT_ENTRY_GUEST_STATE] = exit_entry_failed,
	[EXIT_ENTRY_MSR_LOAD] = exit_entry_failed,
	[EXIT_MWAIT] = exit_invalid_opcode,
	[EXIT_MONITOR] = exit_invalid_opcode,
	[EXIT_PAUSE] = exit_skip,
	[EXIT_ENTRY_MACHINE_CHECK] = exit_entry_failed,
	[EXIT_EPT_VIOLATION] = exit_ept_violation,
	[EXIT_EPT_MISCONFIGURATION] = exit_ept_misconfiguration,
	[EXIT_INVEPT] = exit_invalid_opcode,
	[EXIT_PREEMPTION_TIMER] = exit_pass, // armed by nobody here
	[EXIT_INVVPID] = exit_invalid_opcode,
	[EXIT_WBINVD] = exit_skip, // no device sees memory past the caches
	[EXIT_XSETBV] = exit_xsetbv,
	[EXIT_VMFUNC] = exit_invalid_opcode,
};

void exit_handle(struct processor *processor) {
	uint32_t reason = processor->vcpu.reason;
	if (reason == EXIT_ENTRY_INSTRUCTION_FAILED)
		machine_stop(processor, "VM entry refused, error %lu",
			host_vmcs_read(VMCS_INSTRUCTION_ERROR));
	else if (reason >= EXIT_REASONS || exit_rows[reason] == NULL)
		machine_stop(processor, "unexpected VM exit %u", reason);
	else
		exit_rows[reason](processor);
}
