// SPDX-License-Identifier: BSD-2-Clause
// The vCPU between an exit and the next entry.
#include <vmm/vcpu/vcpu.h>

#include <abi/vcpu.h>

enum { SHADOW = BLOCKING_BY_STI | BLOCKING_BY_MOV_SS };

// Only an NMI that was injected blocks others, until an IRET (SDM 3C 26.3, virtual NMIs). Bochs 2.7
// keeps the block of another guest, which would be in force here without end.
static void vcpu_know_interruptibility(struct vcpu *vcpu, uint64_t interruptibility) {
	vcpu->interruptibility = interruptibility;
	if (vcpu->nmi_blockable || !(interruptibility & BLOCKING_BY_NMI)) return;
	vcpu->interruptibility &= ~(uint64_t)BLOCKING_BY_NMI;
	vcpu->changed |= VCPU_CHANGED_INTERRUPTIBILITY;
}

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
	vcpu->cr3 = host_exit_word(HOST_EXIT_CR3);
	vcpu->known = VCPU_KNOWS_FLAGS;
	vcpu->changed = 0;
	vcpu->debug_pending = false;
	vcpu_know_interruptibility(vcpu, host_exit_word(HOST_EXIT_INTERRUPTIBILITY));
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
	if (vcpu->known & VCPU_KNOWS_FLAGS)
		vcpu->nmi_blockable = vcpu->interruptibility & BLOCKING_BY_NMI;
	if ((vcpu->event & (EVENT_VALID | EVENT_TYPE)) == (EVENT_VALID | EVENT_NMI))
		vcpu->nmi_blockable = true;
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
	vcpu_know_interruptibility(vcpu, host_vmcs_read(VMCS_GUEST_INTERRUPTIBILITY));
	vcpu->known |= VCPU_KNOWS_FLAGS;
}

void vcpu_set_rflags(struct vcpu *vcpu, uint64_t rflags) {
	if (vcpu->rflags == rflags) return;
	vcpu->rflags = rflags;
	vcpu->changed |= VCPU_CHANGED_RFLAGS;
}

bool vcpu_in_64_bit_mode(const struct vcpu *) {
	return (host_vmcs_read(VMCS_GUEST_CS_ACCESS) & SEGMENT_CODE_64) &&
		(host_vmcs_read(VMCS_GUEST_EFER) & EFER_LMA);
}

bool vcpu_in_shadow(const struct vcpu *vcpu) { return vcpu->interruptibility & SHADOW; }

void vcpu_leave_shadow(struct vcpu *vcpu) {
	if (!vcpu_in_shadow(vcpu)) return;
	// MOV SS holds back the data breakpoint that it met.
	if (vcpu->interruptibility & BLOCKING_BY_MOV_SS)
		vcpu->debug_pending |= (host_vmcs_read(VMCS_GUEST_PENDING_DEBUG) &
					       (PENDING_DEBUG_ENABLED | PENDING_DEBUG_STEP)) != 0;
	vcpu->interruptibility &= ~(uint64_t)SHADOW;
	vcpu->changed |= VCPU_CHANGED_INTERRUPTIBILITY;
}

void vcpu_add_pending_debug(struct vcpu *vcpu, uint64_t causes) {
	uint64_t pending = host_vmcs_read(VMCS_GUEST_PENDING_DEBUG);
	host_vmcs_write(VMCS_GUEST_PENDING_DEBUG, pending | causes);
	vcpu->debug_pending = true;
}

// No instruction emulated here is a branch, which is all that BTF lets trap.
bool vcpu_single_steps(const struct vcpu *vcpu) {
	return (vcpu->rflags & RFLAGS_TRAP) &&
		!(host_vmcs_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BRANCH_STEP);
}

static void vcpu_retire(struct vcpu *vcpu, uint64_t resume) {
	vcpu_set_rflags(vcpu, (vcpu->rflags & ~(uint64_t)RFLAGS_RESUME) | resume);
	vcpu_leave_shadow(vcpu);
	if (vcpu_single_steps(vcpu)) vcpu_add_pending_debug(vcpu, PENDING_DEBUG_STEP);
}

void vcpu_advance(struct vcpu *vcpu, uint32_t length) {
	uint64_t next = vcpu->rip + length;
	// Only 64-bit mode has more than 32 bits of instruction pointer, and VM entry refuses them
	// elsewhere. What comes behind a segment's limit or a canonical address is the CPU's.
	if ((next ^ vcpu->rip) >> 32 != 0 && !vcpu_in_64_bit_mode(vcpu)) next &= UINT32_MAX;
	vcpu->rip = next;
	vcpu->changed |= VCPU_CHANGED_RIP;
	vcpu_retire(vcpu, 0);
}

void vcpu_iterate(struct vcpu *vcpu) { vcpu_retire(vcpu, RFLAGS_RESUME); }

struct paging vcpu_paging(const struct vcpu *vcpu) {
	struct paging paging = {
		.cr0 = host_vmcs_read(VMCS_GUEST_CR0),
		.cr3 = vcpu->cr3,
		.cr4 = host_vmcs_read(VMCS_GUEST_CR4),
		.efer = host_vmcs_read(VMCS_GUEST_EFER),
	};
	for (unsigned i = 0; i < PAGING_DIRECTORY && paging_is_pae(&paging); i++)
		paging.directory[i] = host_vmcs_read((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i));
	return paging;
}

void vcpu_inject(struct vcpu *vcpu, uint32_t event) {
	vcpu->event = event | EVENT_VALID;
	vcpu->changed |= VCPU_CHANGED_EVENT;
}

// A fault is pushed with RF set, so that its handler does not return into an instruction breakpoint
// again; for #DB that is left to the handler (SDM 3B 18.3.1.1).
static void vcpu_inject_fault(struct vcpu *vcpu, uint32_t event) {
	if ((event & EVENT_VECTOR) != EXCEPTION_DEBUG)
		vcpu_set_rflags(vcpu, vcpu->rflags | RFLAGS_RESUME);
	vcpu_inject(vcpu, event);
}

void vcpu_raise(struct vcpu *vcpu, enum x86_exception exception) {
	vcpu_inject_fault(vcpu, EVENT_EXCEPTION | exception);
}

void vcpu_raise_with_code(struct vcpu *vcpu, enum x86_exception exception, uint32_t error_code) {
	// Real mode has no error codes, and VM entry refuses one there (SDM 3C 27.2.1.3).
	bool protected_mode = host_vmcs_read(VMCS_GUEST_CR0) & CR0_PE;
	if (!protected_mode) {
		vcpu_raise(vcpu, exception);
		return;
	}
	host_vmcs_write(VMCS_ENTRY_ERROR_CODE, error_code);
	vcpu_inject_fault(vcpu, EVENT_EXCEPTION | EVENT_ERROR_CODE | exception);
}

void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code) {
	host_state_write(VCPU_STATE_CR2, linear);
	vcpu_raise_with_code(vcpu, EXCEPTION_PAGE_FAULT, error_code);
}

// Traps of the instruction before come first, and an entry that injects forgets them (SDM 3A 6.9,
// 3C 27.7.3).
static bool vcpu_event_possible(const struct vcpu *vcpu) {
	return !(vcpu->event & EVENT_VALID) && !vcpu->debug_pending;
}

bool vcpu_interruptible(struct vcpu *vcpu) {
	if (!vcpu_event_possible(vcpu)) return false;
	vcpu_know_flags(vcpu);
	return (vcpu->rflags & RFLAGS_INTERRUPT) && !vcpu_in_shadow(vcpu);
}

bool vcpu_nmi_possible(struct vcpu *vcpu) {
	if (!vcpu_event_possible(vcpu)) return false;
	vcpu_know_flags(vcpu);
	return !(vcpu->interruptibility & (SHADOW | BLOCKING_BY_NMI));
}

void vcpu_window(struct vcpu *vcpu, uint32_t wanted) {
	const uint32_t windows = PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW;
	uint32_t primary = (vcpu->primary & ~windows) | wanted;
	if (primary == vcpu->primary) return;
	vcpu->primary = primary;
	vcpu->changed |= VCPU_CHANGED_PRIMARY;
}
