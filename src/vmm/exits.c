// SPDX-License-Identifier: BSD-2-Clause
// VM exits (SDM 3D, appendix C): what each reason means for this machine.
#include <vmm/exits.h>

#include <vmm/host/log.h>
#include <vmm/vcpu/complete.h>
#include <vmm/vcpu/mmio.h>
#include <vmm/vcpu/port.h>

#include <base/compiler.h>

static void exit_pass(struct processor *) {}

static void exit_skip(struct processor *processor) {
	vcpu_advance(&processor->vcpu, processor->vcpu.page->instruction_length);
}

static void exit_invalid_opcode(struct processor *processor) {
	vcpu_raise(&processor->vcpu, VECTOR_INVALID_OPCODE);
}

static void exit_protection(struct processor *processor) {
	vcpu_raise_with_code(&processor->vcpu, VECTOR_PROTECTION, 0);
}

// An NMI of the host, which the kernel has dealt with. No exception exits.
static void exit_exception(struct processor *processor) { vcpu_redeliver(&processor->vcpu); }

static void exit_triple_fault(struct processor *processor) {
	machine_stop(processor, "triple fault");
}

static void exit_task_switch(struct processor *processor) {
	machine_stop(processor, "hardware task switch, which no 64-bit guest uses");
}

static void exit_cpuid(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_PAGING | VCPU_GROUP_XCR0);
	uint64_t *registers = vcpu->page->registers;
	struct cpuid_words words;
	uint32_t leaf = (uint32_t)registers[X86_RAX];
	uint32_t subleaf = (uint32_t)registers[X86_RCX];
	const struct cpuid_guest guest = {
		.cr4 = page->cr4,
		.xcr0 = page->xcr0,
		.apic_enabled = lapic_hardware_enabled(&processor->lapic),
	};

	cpuid_answer(&processor->machine->cpuid, &guest, leaf, subleaf, &words);
	registers[X86_RAX] = words.eax;
	registers[X86_RBX] = words.ebx;
	registers[X86_RCX] = words.ecx;
	registers[X86_RDX] = words.edx;
	exit_skip(processor);
}

static void exit_hlt(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;

	exit_skip(processor);
	// A debug exception that follows ends the halt at once.
	if (vcpu->debug_pending) return;
	if (!(vcpu->page->rflags & FLAGS_IF) && !processor->lapic.nmi_pending) {
		machine_stop(processor, "halted with interrupts disabled");
		return;
	}
	// Settling looks for a pending interrupt before it pauses, so none is slept through.
	vcpu->run = VCPU_HALTED;
}

static void exit_control_register(struct processor *processor) {
	control_register_exit(&processor->control, &processor->vcpu);
}

static void exit_xsetbv(struct processor *processor) { control_xsetbv_exit(&processor->vcpu); }

static void exit_io(struct processor *processor) {
	port_perform(&processor->vcpu, &processor->machine->memory, &processor->memory_bus,
		&processor->machine->port_bus);
}

static void exit_rdmsr(struct processor *processor) {
	struct vcpu_state_page *page = processor->vcpu.page;
	uint32_t number = (uint32_t)page->registers[X86_RCX];
	uint64_t value;
	enum msr_result result = msr_read(&processor->msrs, number, &value);

	if (result == MSR_UNKNOWN)
		log_guest("guest read unknown MSR %x at %lx: #GP", number, page->rip);
	if (result != MSR_DONE) {
		exit_protection(processor);
		return;
	}
	page->registers[X86_RAX] = (uint32_t)value;
	page->registers[X86_RDX] = value >> 32;
	exit_skip(processor);
}

static void exit_wrmsr(struct processor *processor) {
	const struct vcpu_state_page *page = processor->vcpu.page;
	uint32_t number = (uint32_t)page->registers[X86_RCX];
	uint64_t value = page->registers[X86_RDX] << 32 | (uint32_t)page->registers[X86_RAX];
	enum msr_result result = msr_write(&processor->msrs, number, value);

	if (result == MSR_UNKNOWN)
		log_guest(
			"guest wrote %lx to unknown MSR %x at %lx: #GP", value, number, page->rip);
	if (result == MSR_DONE)
		exit_skip(processor);
	else
		exit_protection(processor);
}

static void exit_memory(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	const struct vcpu_state_page *page = vcpu->page;
	const uint64_t operand = VCPU_MEMORY_FINAL | (vcpu_by_amd_v(vcpu) ? 0 : VCPU_MEMORY_LINEAR);
	uint64_t kind = page->qualification;
	uint64_t where = page->physical;

	if (page->interrupted.information & VCPU_EVENT_VALID) {
		machine_stop(
			processor, "event delivery uses address %lx, where no memory is", where);
	} else if (kind & VCPU_MEMORY_FETCH) {
		machine_stop(processor, "execution at address %lx, where no memory is", where);
	} else if ((kind & operand) != operand) {
		machine_stop(processor, "page tables at address %lx, where no memory is", where);
	} else {
		if (kind & VCPU_MEMORY_UNBLOCKED_NMI) vcpu_set_nmi_blocking(vcpu, true);
		if (!bus_claims(&processor->memory_bus, where))
			log_guest("guest touched address %lx, where no memory is", where);
		if (mmio_perform(vcpu, &processor->machine->memory, &processor->memory_bus)) return;
		log_guest("instruction at %lx cannot access device memory: #UD", page->rip);
		vcpu_raise(vcpu, VECTOR_INVALID_OPCODE);
	}
}

static void exit_misconfigured(struct processor *processor) {
	machine_stop(processor, "misconfigured page tables of the VM at address %lx",
		processor->vcpu.page->physical);
}

static void exit_state_invalid(struct processor *processor) {
	machine_stop(processor, "VM entry failed, qualification %lx",
		processor->vcpu.page->qualification);
}

static void exit_controls_invalid(struct processor *processor) {
	machine_stop(processor, "VM entry refused, error %lu", processor->vcpu.page->qualification);
}

static void exit_value_refused(struct processor *processor) {
	machine_stop(processor, "the kernel refused a value of group %lu",
		processor->vcpu.page->qualification);
}

static void (*const exit_rows[VCPU_EXIT_REASONS])(struct processor *processor) = {
	[VCPU_EXIT_EXCEPTION] = exit_exception,
	[VCPU_EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[VCPU_EXIT_SIPI] = exit_pass,
	[VCPU_EXIT_INTERRUPT_WINDOW] = exit_pass, // settling injects
	[VCPU_EXIT_NMI_WINDOW] = exit_pass,
	[VCPU_EXIT_TASK_SWITCH] = exit_task_switch,
	[VCPU_EXIT_CPUID] = exit_cpuid,
	[VCPU_EXIT_GETSEC] = exit_invalid_opcode,
	[VCPU_EXIT_HLT] = exit_hlt,
	[VCPU_EXIT_INVD] = exit_skip, // throwing caches away would hurt the host
	[VCPU_EXIT_RDPMC] = exit_protection,
	[VCPU_EXIT_RSM] = exit_invalid_opcode,
	[VCPU_EXIT_HYPERCALL] = exit_invalid_opcode,
	[VCPU_EXIT_VIRTUALISATION... VCPU_EXIT_VIRTUALISATION_LAST] = exit_invalid_opcode,
	[VCPU_EXIT_CONTROL_REGISTER] = exit_control_register,
	[VCPU_EXIT_IO] = exit_io,
	[VCPU_EXIT_RDMSR] = exit_rdmsr,
	[VCPU_EXIT_WRMSR] = exit_wrmsr,
	[VCPU_EXIT_STATE_INVALID] = exit_state_invalid,
	[VCPU_EXIT_MWAIT] = exit_invalid_opcode,
	[VCPU_EXIT_MONITOR] = exit_invalid_opcode,
	[VCPU_EXIT_PAUSE] = exit_skip,
	[VCPU_EXIT_MEMORY] = exit_memory,
	[VCPU_EXIT_MEMORY_MISCONFIGURED] = exit_misconfigured,
	[VCPU_EXIT_INVEPT] = exit_invalid_opcode,
	[VCPU_EXIT_TIMER] = exit_pass, // settling looks at the time
	[VCPU_EXIT_INVVPID] = exit_invalid_opcode,
	[VCPU_EXIT_WBINVD] = exit_skip, // no device sees memory past the caches
	[VCPU_EXIT_XSETBV] = exit_xsetbv,
	[VCPU_EXIT_VMFUNC] = exit_invalid_opcode,
	[VCPU_EXIT_CONTROLS_INVALID] = exit_controls_invalid,
	[VCPU_EXIT_VALUE_REFUSED] = exit_value_refused,
};

void exit_handle(struct processor *processor) {
	struct vcpu *vcpu = &processor->vcpu;
	uint32_t reason = vcpu->page->reason;

	machine_left(processor);
	if (!complete_exit(vcpu, &processor->machine->memory, &processor->memory_bus)) return;
	if (reason >= VCPU_EXIT_REASONS || !exit_rows[reason])
		machine_stop(processor, "unexpected VM exit %u", reason);
	else
		exit_rows[reason](processor);
}
