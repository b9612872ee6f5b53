// SPDX-License-Identifier: BSD-2-Clause
// The vCPU between an exit and the next entry.
#include <vmm/vcpu.h>

#include <abi/vcpu.h>

enum { PENDING_DEBUG_STEP = 1 << 14 };

void vcpu_load_exit(struct vcpu *vcpu) {
	for (unsigned i = 0; i < HOST_REGISTERS; i++)
		vcpu->registers[host_register_order[i]] = host_exit_word(HOST_EXIT_REGISTERS + i);
	vcpu->rip = host_exit_word(HOST_EXIT_RIP);
	vcpu->primary = (uint32_t)host_exit_word(HOST_EXIT_PRIMARY_CONTROLS);
	vcpu->event = (uint32_t)host_exit_word(HOST_EXIT_ENTRY_INTERRUPTION);
	vcpu->reason = (uint32_t)host_exit_word(HOST_EXIT_REASON);
	vcpu->qualification = host_exit_word(HOST_EXIT_QUALIFICATION);
	vcpu->length = (uint32_t)host_exit_word(HOST_EXIT_LENGTH);
	vcpu->physical = host_exit_word(HOST_EXIT_PHYSICAL);
	vcpu->rflags = host_exit_word(HOST_EXIT_RFLAGS);
	vcpu->interruptibility = host_exit_word(HOST_EXIT_INTERRUPTIBILITY);
	vcpu->cr3 = host_exit_word(HOST_EXIT_CR3);
	vcpu->known = VCPU_KNOWS_FLAGS;
	vcpu->changed = 0;
}

void vcpu_load_notification(struct vcpu *vcpu) {
	// A halted vCPU was not entered, so the copy of its last exit still holds.
	if (vcpu->run != VCPU_RUNNING) return;
	vcpu->rip = host_vmcs_read(VMCS_GUEST_RIP);
	vcpu->primary = (uint32_t)host_vmcs_read(VMCS_PRIMARY_CONTROLS);
	vcpu->event = (uint32_t)host_vmcs_read(VMCS_ENTRY_INTERRUPTION);
	vcpu->known = 0;
	vcpu->changed = 0;
}

struct write_back {
	unsigned change;
	enum vmcs_field field;
	uint64_t value;
};

void vcpu_commit(struct vcpu *vcpu) {
	const struct write_back rows[] = {
		{VCPU_CHANGED_RIP, VMCS_GUEST_RIP, vcpu->rip},
		{VCPU_CHANGED_PRIMARY, VMCS_PRIMARY_CONTROLS, vcpu->primary},
		{VCPU_CHANGED_EVENT, VMCS_ENTRY_INTERRUPTION, vcpu->event},
		{VCPU_CHANGED_RSP, VMCS_GUEST_RSP, vcpu->registers[X86_RSP]},
		{VCPU_CHANGED_RFLAGS, VMCS_GUEST_RFLAGS, vcpu->rflags},
		{VCPU_CHANGED_INTERRUPTIBILITY, VMCS_GUEST_INTERRUPTIBILITY,
			vcpu->interruptibility},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (vcpu->changed & rows[i].change) host_vmcs_write(rows[i].field, rows[i].value);
	if (vcpu->changed & VCPU_CHANGED_REGISTERS) host_registers_write(vcpu->registers);
	vcpu->changed = 0;
}

uint64_t vcpu_register(struct vcpu *vcpu, unsigned number) {
	if (number == X86_RSP && !(vcpu->known & VCPU_KNOWS_RSP)) {
		vcpu->registers[X86_RSP] = host_vmcs_read(VMCS_GUEST_RSP);
		vcpu->known |= VCPU_KNOWS_RSP;
	}
	return vcpu->registers[number];
}

void vcpu_set_register(struct vcpu *vcpu, unsigned number, uint64_t value) {
	vcpu->registers[number] = value;
	if (number == X86_RSP) vcpu->known |= VCPU_KNOWS_RSP;
	vcpu->changed |= number == X86_RSP ? VCPU_CHANGED_RSP : VCPU_CHANGED_REGISTERS;
}

static void vcpu_know_flags(struct vcpu *vcpu) {
	if (vcpu->known & VCPU_KNOWS_FLAGS) return;
	vcpu->rflags = host_vmcs_read(VMCS_GUEST_RFLAGS);
	vcpu->interruptibility = host_vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	vcpu->known |= VCPU_KNOWS_FLAGS;
}

void vcpu_set_rflags(struct vcpu *vcpu, uint64_t rflags) {
	if (vcpu->rflags == rflags) return;
	vcpu->rflags = rflags;
	vcpu->changed |= VCPU_CHANGED_RFLAGS;
}

void vcpu_advance(struct vcpu *vcpu, uint32_t length) {
	vcpu->rip += length;
	vcpu->changed |= VCPU_CHANGED_RIP;
	// The shadow of STI and MOV SS covers the one instruction that was just completed.
	if (vcpu->interruptibility & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS)) {
		vcpu->interruptibility &= ~(uint64_t)(BLOCKING_BY_STI | BLOCKING_BY_MOV_SS);
		vcpu->changed |= VCPU_CHANGED_INTERRUPTIBILITY;
	}
	if (vcpu->rflags & RFLAGS_TRAP) {
		uint64_t pending = host_vmcs_read(VMCS_GUEST_PENDING_DEBUG);
		host_vmcs_write(VMCS_GUEST_PENDING_DEBUG, pending | PENDING_DEBUG_STEP);
	}
}

struct paging vcpu_paging(const struct vcpu *vcpu) {
	return (struct paging){
		.cr0 = host_vmcs_read(VMCS_GUEST_CR0),
		.cr3 = vcpu->cr3,
		.cr4 = host_vmcs_read(VMCS_GUEST_CR4),
		.efer = host_vmcs_read(VMCS_GUEST_EFER),
	};
}

void vcpu_inject(struct vcpu *vcpu, uint32_t event) {
	vcpu->event = event | EVENT_VALID;
	vcpu->changed |= VCPU_CHANGED_EVENT;
}

void vcpu_raise(struct vcpu *vcpu, enum x86_exception exception) {
	vcpu_inject(vcpu, EVENT_EXCEPTION | exception);
}

void vcpu_raise_with_code(struct vcpu *vcpu, enum x86_exception exception, uint32_t error_code) {
	// Real mode has no error codes, and VM entry refuses one there (SDM volume 3, 26.2.1.3).
	bool protected_mode = host_vmcs_read(VMCS_GUEST_CR0) & CR0_PE;
	if (!protected_mode) {
		vcpu_raise(vcpu, exception);
		return;
	}
	host_vmcs_write(VMCS_ENTRY_ERROR_CODE, error_code);
	vcpu_inject(vcpu, EVENT_EXCEPTION | EVENT_ERROR_CODE | exception);
}

void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code) {
	host_state_write(VCPU_STATE_CR2, linear);
	vcpu_raise_with_code(vcpu, EXCEPTION_PAGE_FAULT, error_code);
}

bool vcpu_interruptible(struct vcpu *vcpu) {
	if (vcpu->event & EVENT_VALID) return false;
	vcpu_know_flags(vcpu);
	return (vcpu->rflags & RFLAGS_INTERRUPT) &&
		!(vcpu->interruptibility & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS));
}

bool vcpu_nmi_possible(struct vcpu *vcpu) {
	const uint64_t blocking = BLOCKING_BY_STI | BLOCKING_BY_MOV_SS | BLOCKING_BY_NMI;
	if (vcpu->event & EVENT_VALID) return false;
	vcpu_know_flags(vcpu);
	return !(vcpu->interruptibility & blocking);
}

void vcpu_window(struct vcpu *vcpu, uint32_t wanted) {
	const uint32_t windows = PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW;
	uint32_t primary = (vcpu->primary & ~windows) | wanted;
	if (primary == vcpu->primary) return;
	vcpu->primary = primary;
	vcpu->changed |= VCPU_CHANGED_PRIMARY;
}
