// SPDX-License-Identifier: BSD-2-Clause
// VMCS fields on AMD-V, and others: where each lives, and how its values translate (VCPU-15 to
// VCPU-19, VCPU-23; APM 2, appendix B).
#include <guest/svm/internal.h>

enum { PRIVILEGE = 3 << VCPU_SEGMENT_PRIVILEGE_SHIFT };

// Segments

static uint64_t access_of(const struct vmcb *vmcb, const void *attributes) {
	const struct vmcb_segment *segment = (const void *)((const char *)attributes -
		offsetof(struct vmcb_segment, attributes));
	uint64_t value = segment->attributes;
	uint64_t result = (value & VMCB_SEGMENT_LOW) | (value & VMCB_SEGMENT_HIGH) << 4;

	if (!(value & VMCB_SEGMENT_PRESENT)) result |= ACCESS_UNUSABLE;
	// The block may lack the granularity of a large limit, and has the privilege elsewhere.
	if (segment->limit >= MIB) result |= VCPU_SEGMENT_PAGES;
	if (segment != &vmcb->ss) return result;
	return (result & ~(uint64_t)PRIVILEGE) |
		(uint64_t)vmcb->cpl << VCPU_SEGMENT_PRIVILEGE_SHIFT;
}

static bool write_access(struct guest *, uint64_t *value) {
	if (*value & ACCESS_UNUSABLE) *value &= ~(uint64_t)VMCB_SEGMENT_PRESENT;
	*value = (*value & VMCB_SEGMENT_LOW) | (*value >> 4 & VMCB_SEGMENT_HIGH);
	return true;
}

// Registers

// The block's where the CPU has that, whose value adds to the host's register (APM 2 15.37).
static bool write_spec_ctrl(struct guest *guest, uint64_t *value) {
	if (!guest_check_spec_ctrl(guest, value)) return false;
	if (!svm_has(SVM_SPEC_CTRL)) return true;
	guest->svm.vmcb->spec_ctrl = *value;
	*value = 0;
	return true;
}

// Events

static bool write_blocking(struct guest *guest, uint64_t *value) {
	svm_block_nmi(guest, *value & INTERRUPTIBILITY_NMI);
	*value = (*value & (INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)) != 0;
	return true;
}

// Controls

static bool write_primary(struct guest *guest, uint64_t *value) {
	*value = svm_set_primary(guest, *value);
	return true;
}

uint64_t svm_field_made(const struct guest *guest, uint64_t field, const void *word) {
	const struct vmcb *vmcb = guest->svm.vmcb;

	switch (field) {
	case VMCS_PIN_CONTROLS: return PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI;
	case VMCS_EXIT_CONTROLS:
		return EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_SAVE_PAT |
			EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER;
	case VMCS_ENTRY_CONTROLS: // EFER alone decides about the mode
		return ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER |
			(vmcb->efer & EFER_LMA ? ENTRY_GUEST_64 : 0u);
	case VMCS_EXIT_INTERRUPTION: return svm_exception(vmcb);
	case VMCS_IDT_VECTORING: return svm_interrupted(vmcb);
	case VMCS_EXIT_INSTRUCTION_INFORMATION: return svm_instruction_information(vmcb);
	case VMCS_GUEST_INTERRUPTIBILITY: return svm_blocking(guest);
	case VMCS_GUEST_EFER: return vmcb->efer & ~EFER_SVME;
	case VCPU_FIELD_SPEC_CTRL:
		return svm_has(SVM_SPEC_CTRL) ? vmcb->spec_ctrl : guest->spec_ctrl;
	default: return access_of(vmcb, word);
	}
}

#define VMCB_WORD(member, flags) \
	offsetof(struct vmcb, member), flags, sizeof(((struct vmcb *)0)->member)
#define OUR_WORD(member, flags) \
	offsetof(struct guest, member), FIELD_OURS | (flags), sizeof(((struct guest *)0)->member)
#define ROW(field, ...) FIELD_ROW(VMCS_##field, VMCS_##field, __VA_ARGS__)
#define BLOCK(field, member, flags, ...) \
	ROW(field, VMCB_WORD(member, FIELD_BOTH | FIELD_LOAD | (flags)), __VA_ARGS__)
#define SHOWN(field, member) ROW(field, VMCB_WORD(member, FIELD_READ | FIELD_LOAD), NULL)
#define OURS(field, member, flags, ...) ROW(field, OUR_WORD(member, flags), __VA_ARGS__)
#define MADE(field, flags) ROW(field, 0, FIELD_MADE | FIELD_##flags, 0, NULL)
#define NONE(first, last, flags) FIELD_ROW(VMCS_##first, VMCS_##last, 0, FIELD_##flags, 0, NULL)
#define OTHER(field, place, write) FIELD_ROW(VCPU_FIELD_##field, VCPU_FIELD_##field, place, write)
#define TABLE(NAME, name) \
	BLOCK(GUEST_##NAME##_LIMIT, name.limit, FIELD_STORE, NULL), \
		BLOCK(GUEST_##NAME##_BASE, name.base, FIELD_STORE, NULL)
#define SEGMENT(NAME, name) \
	TABLE(NAME, name), BLOCK(GUEST_##NAME##_SELECTOR, name.selector, FIELD_STORE, NULL), \
		ROW(GUEST_##NAME##_ACCESS, VMCB_WORD(name.attributes, FIELD_BOTH | FIELD_MADE), \
			write_access)

// Those without a word are not there with AMD-V: the value is 0, and what is written is lost.
const struct guest_field svm_fields[GUEST_FIELDS] = {
	SEGMENT(ES, es),
	SEGMENT(CS, cs),
	SEGMENT(SS, ss),
	SEGMENT(DS, ds),
	SEGMENT(FS, fs),
	SEGMENT(GS, gs),
	SEGMENT(LDTR, ldtr),
	SEGMENT(TR, tr),
	TABLE(GDTR, gdtr),
	TABLE(IDTR, idtr),
	BLOCK(TSC_OFFSET, tsc_offset, FIELD_STORE, NULL),
	SHOWN(GUEST_PHYSICAL_ADDRESS, exit_information[1]),
	BLOCK(GUEST_DEBUGCTL, debugctl, FIELD_STORE, guest_write_debugctl),
	BLOCK(GUEST_PAT, pat, FIELD_STORE, NULL),
	ROW(GUEST_EFER, VMCB_WORD(efer, FIELD_BOTH | FIELD_MADE | FIELD_STALE), NULL, VMX_EFER),
	NONE(GUEST_PERF_GLOBAL_CTRL, GUEST_PDPTE3, BOTH), // PDPTEs are read from memory
	MADE(PIN_CONTROLS, BOTH),
	OURS(PRIMARY_CONTROLS, svm.primary, FIELD_BOTH, write_primary),
	OURS(EXCEPTION_BITMAP, svm.exceptions, FIELD_BOTH | FIELD_CONTROLS, NULL),
	MADE(EXIT_CONTROLS, BOTH),
	MADE(ENTRY_CONTROLS, BOTH),
	OURS(ENTRY_INTERRUPTION, svm.event, FIELD_BOTH | FIELD_STORE, NULL),
	OURS(ENTRY_ERROR_CODE, svm.event_error, FIELD_BOTH | FIELD_STORE, NULL),
	OURS(ENTRY_INSTRUCTION_LENGTH, svm.event_length, FIELD_BOTH | FIELD_STORE,
		guest_check_length),
	OURS(SECONDARY_CONTROLS, svm.secondary, FIELD_BOTH | FIELD_CONTROLS, NULL, VMX_SECONDARY),
	OURS(INSTRUCTION_ERROR, svm.instruction_error, FIELD_READ, NULL),
	MADE(EXIT_INTERRUPTION, READ),
	SHOWN(EXIT_ERROR_CODE, exit_information[0]),
	MADE(IDT_VECTORING, READ),
	SHOWN(IDT_VECTORING_ERROR_CODE, exit_event_error),
	OURS(EXIT_INSTRUCTION_LENGTH, svm.instruction_length, FIELD_READ, NULL),
	MADE(EXIT_INSTRUCTION_INFORMATION, READ),
	ROW(GUEST_INTERRUPTIBILITY,
		VMCB_WORD(interrupt_shadow, FIELD_BOTH | FIELD_MADE | FIELD_STORE), write_blocking),
	NONE(GUEST_ACTIVITY, GUEST_SMBASE, BOTH),
	BLOCK(GUEST_SYSENTER_CS, sysenter_cs, FIELD_STORE, NULL),
	NONE(PREEMPTION_TIMER, PREEMPTION_TIMER, BOTH),
	OURS(CR0_MASK, svm.cr0_mask, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR4_MASK, svm.cr4_mask, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR0_SHADOW, svm.cr0_shadow, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR4_SHADOW, svm.cr4_shadow, FIELD_BOTH | FIELD_MASKS, NULL),
	NONE(IO_RCX, GUEST_LINEAR_ADDRESS, READ),
	BLOCK(GUEST_CR0, cr0, FIELD_STALE | FIELD_MASKS, NULL),
	BLOCK(GUEST_CR3, cr3, FIELD_STALE, NULL),
	BLOCK(GUEST_CR4, cr4, FIELD_STALE | FIELD_MASKS, NULL, VMX_CR4),
	BLOCK(GUEST_DR7, dr7, FIELD_STORE, NULL),
	BLOCK(GUEST_RSP, rsp, FIELD_STORE, NULL),
	BLOCK(GUEST_RIP, rip, FIELD_STORE, guest_write_rip),
	BLOCK(GUEST_RFLAGS, rflags, FIELD_STORE, NULL),
	NONE(GUEST_PENDING_DEBUG, GUEST_PENDING_DEBUG, BOTH),
	BLOCK(GUEST_SYSENTER_ESP, sysenter_esp, FIELD_STORE, NULL),
	BLOCK(GUEST_SYSENTER_EIP, sysenter_eip, FIELD_STORE, NULL),
	OTHER(CR2, VMCB_WORD(cr2, FIELD_BOTH), NULL),
	OTHER(DR0, OUR_WORD(dr[0], FIELD_BOTH | FIELD_DEBUG), NULL),
	OTHER(DR1, OUR_WORD(dr[1], FIELD_BOTH | FIELD_DEBUG), NULL),
	OTHER(DR2, OUR_WORD(dr[2], FIELD_BOTH | FIELD_DEBUG), NULL),
	OTHER(DR3, OUR_WORD(dr[3], FIELD_BOTH | FIELD_DEBUG), NULL),
	OTHER(DR6, VMCB_WORD(dr6, FIELD_BOTH), guest_check_32_bits),
	OTHER(XCR0, OUR_WORD(xcr0, FIELD_BOTH), guest_xcr0_write),
	OTHER(XCR0_OFFERED, OUR_WORD(xcr0_offered, FIELD_READ), NULL),
	FIELD_ROW(VCPU_FIELD_TIMER, VCPU_FIELD_TIMER, 0, FIELD_BOTH, 0, NULL),
	OTHER(KERNEL_GS_BASE, VMCB_WORD(kernel_gs_base, FIELD_BOTH), guest_check_address),
	OTHER(STAR, VMCB_WORD(star, FIELD_BOTH), NULL),
	OTHER(LSTAR, VMCB_WORD(lstar, FIELD_BOTH), guest_check_address),
	OTHER(CSTAR, VMCB_WORD(cstar, FIELD_BOTH), guest_check_address),
	OTHER(FMASK, VMCB_WORD(fmask, FIELD_BOTH), guest_check_32_bits),
	OTHER(TSC_AUX, OUR_WORD(svm.tsc_aux, FIELD_BOTH), guest_check_32_bits),
	OTHER(SPEC_CTRL, OUR_WORD(spec_ctrl, FIELD_BOTH | FIELD_MADE), write_spec_ctrl),
};

bool svm_field_write(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value) {
	value = word_apply(row->limits, value);
	if (!field_store(guest, row, &value)) return false;
	if (field == VMCS_GUEST_SS_ACCESS)
		guest->svm.vmcb->cpl = value >> VCPU_SEGMENT_PRIVILEGE_SHIFT & 3;
	if (row->flags & FIELD_CONTROLS) svm_set_intercepts(guest);
	if (row->flags & FIELD_MASKS) svm_set_masks(guest);
	return true;
}
