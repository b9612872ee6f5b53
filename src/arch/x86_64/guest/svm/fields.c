// SPDX-License-Identifier: BSD-2-Clause
// VMCS fields on AMD-V, and others: where each lives, and how its values translate (VCPU-15 to
// VCPU-19, VCPU-23; APM 2, appendix B).
#include <guest/field.h>
#include <guest/svm/internal.h>

enum { PRIVILEGE = 3 << VCPU_SEGMENT_PRIVILEGE_SHIFT };

// Segments

static uint64_t read_access(const struct guest *guest, const void *word, uint64_t value) {
	const struct vmcb *vmcb = guest->svm.vmcb;
	const struct vmcb_segment *segment = (const void *)((const char *)word -
		offsetof(struct vmcb_segment, attributes));
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

// Without MCE a machine check shuts the CPU down (APM 2 9.3.1).
static bool write_cr4(struct guest *, uint64_t *value) {
	*value = (*value & svm()->cr4) | CR4_MCE;
	return true;
}

static uint64_t read_efer(const struct guest *, const void *, uint64_t value) {
	return value & ~EFER_SVME;
}

static bool write_efer(struct guest *, uint64_t *value) {
	*value |= EFER_SVME;
	return true;
}

// The block's where the CPU has that, whose value adds to the host's register (APM 2 15.37).
static uint64_t read_spec_ctrl(const struct guest *guest, const void *, uint64_t value) {
	return svm_has(SVM_SPEC_CTRL) ? guest->svm.vmcb->spec_ctrl : value;
}

static bool write_spec_ctrl(struct guest *guest, uint64_t *value) {
	if (!guest_check_spec_ctrl(guest, value)) return false;
	if (!svm_has(SVM_SPEC_CTRL)) return true;
	guest->svm.vmcb->spec_ctrl = *value;
	*value = 0;
	return true;
}

// Events

static uint64_t read_blocking(const struct guest *guest, const void *, uint64_t) {
	return svm_blocking(guest);
}

static bool write_blocking(struct guest *guest, uint64_t *value) {
	svm_block_nmi(guest, *value & INTERRUPTIBILITY_NMI);
	*value = (*value & (INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)) != 0;
	return true;
}

// Controls

static uint64_t read_pin(const struct guest *, const void *, uint64_t) {
	return PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI;
}

static bool write_primary(struct guest *guest, uint64_t *value) {
	*value = svm_set_primary(guest, *value);
	return true;
}

static bool write_secondary(struct guest *, uint64_t *value) {
	*value = (*value & SVM_SECONDARY_MAY) | SVM_SECONDARY_MUST;
	return true;
}

static uint64_t read_exit(const struct guest *, const void *, uint64_t) {
	return EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
		EXIT_SAVE_EFER | EXIT_LOAD_EFER;
}

// EFER alone decides about the mode.
static uint64_t read_entry(const struct guest *guest, const void *, uint64_t) {
	return ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER |
		(guest->svm.vmcb->efer & EFER_LMA ? ENTRY_GUEST_64 : 0u);
}

// The exit

static uint64_t read_exception(const struct guest *guest, const void *, uint64_t) {
	return svm_exception(guest->svm.vmcb);
}

static uint64_t read_interrupted(const struct guest *guest, const void *, uint64_t) {
	return svm_interrupted(guest->svm.vmcb);
}

static uint64_t read_information(const struct guest *guest, const void *, uint64_t) {
	return svm_instruction_information(guest->svm.vmcb);
}

#define VMCB_WORD(member, step) \
	offsetof(struct vmcb, member), sizeof(((struct vmcb *)0)->member), step
#define OUR_WORD(member, step) \
	offsetof(struct guest, member), sizeof(((struct guest *)0)->member), step
#define ROW(first, last, ...) \
	{ VMCS_##first, VMCS_##last, __VA_ARGS__, 0 }
#define BLOCK(first, last, member, step, flags) \
	ROW(first, last, VMCB_WORD(member, step), FIELD_BOTH | flags, NULL, NULL)
#define OURS(field, member, flags, write) \
	ROW(field, field, OUR_WORD(member, 0), FIELD_OURS | (flags), NULL, write)
#define MADE(field, flags, read) ROW(field, field, 0, 0, 0, FIELD_##flags, read, NULL)
#define NONE(first, last, flags) ROW(first, last, 0, 0, 0, FIELD_##flags, NULL, NULL)
#define OTHER(first, last, place, flags, write) \
	{ VCPU_FIELD_##first, VCPU_FIELD_##last, place, FIELD_READ | flags, NULL, write, 0 }

// Those without a word are not there with AMD-V: the value is 0, and what is written is lost.
static const struct guest_field rows[] = {
	// clang-format off
	BLOCK(GUEST_ES_SELECTOR, GUEST_GS_SELECTOR, es.selector, 16, 0),
	BLOCK(GUEST_LDTR_SELECTOR, GUEST_TR_SELECTOR, ldtr.selector, 32, 0),
	BLOCK(TSC_OFFSET, TSC_OFFSET, tsc_offset, 0, 0),
	ROW(GUEST_PHYSICAL_ADDRESS, GUEST_PHYSICAL_ADDRESS, VMCB_WORD(exit_information[1], 0),
		FIELD_READ, NULL, NULL),
	ROW(GUEST_DEBUGCTL, GUEST_DEBUGCTL, VMCB_WORD(debugctl, 0), FIELD_BOTH, NULL,
		guest_write_debugctl),
	BLOCK(GUEST_PAT, GUEST_PAT, pat, 0, 0),
	ROW(GUEST_EFER, GUEST_EFER, VMCB_WORD(efer, 0), FIELD_BOTH | FIELD_STALE, read_efer,
		write_efer),
	NONE(GUEST_PERF_GLOBAL_CTRL, GUEST_PDPTE3, BOTH), // PDPTEs are read from memory
	MADE(PIN_CONTROLS, BOTH, read_pin),
	OURS(PRIMARY_CONTROLS, svm.primary, FIELD_BOTH, write_primary),
	OURS(EXCEPTION_BITMAP, svm.exceptions, FIELD_BOTH | FIELD_CONTROLS, NULL),
	MADE(EXIT_CONTROLS, BOTH, read_exit),
	MADE(ENTRY_CONTROLS, BOTH, read_entry),
	OURS(ENTRY_INTERRUPTION, svm.event, FIELD_BOTH, NULL),
	OURS(ENTRY_ERROR_CODE, svm.event_error, FIELD_BOTH, NULL),
	OURS(ENTRY_INSTRUCTION_LENGTH, svm.event_length, FIELD_BOTH, guest_check_length),
	OURS(SECONDARY_CONTROLS, svm.secondary, FIELD_BOTH | FIELD_CONTROLS, write_secondary),
	OURS(INSTRUCTION_ERROR, svm.instruction_error, FIELD_READ, NULL),
	MADE(EXIT_INTERRUPTION, READ, read_exception),
	ROW(EXIT_ERROR_CODE, EXIT_ERROR_CODE, VMCB_WORD(exit_information[0], 0), FIELD_READ, NULL,
		NULL),
	MADE(IDT_VECTORING, READ, read_interrupted),
	ROW(IDT_VECTORING_ERROR_CODE, IDT_VECTORING_ERROR_CODE, VMCB_WORD(exit_event_error, 0),
		FIELD_READ, NULL, NULL),
	OURS(EXIT_INSTRUCTION_LENGTH, svm.instruction_length, FIELD_READ, NULL),
	MADE(EXIT_INSTRUCTION_INFORMATION, READ, read_information),
	BLOCK(GUEST_ES_LIMIT, GUEST_GS_LIMIT, es.limit, 16, 0),
	BLOCK(GUEST_LDTR_LIMIT, GUEST_TR_LIMIT, ldtr.limit, 32, 0),
	BLOCK(GUEST_GDTR_LIMIT, GUEST_IDTR_LIMIT, gdtr.limit, 32, 0),
	ROW(GUEST_ES_ACCESS, GUEST_GS_ACCESS, VMCB_WORD(es.attributes, 16), FIELD_BOTH,
		read_access, write_access),
	ROW(GUEST_LDTR_ACCESS, GUEST_TR_ACCESS, VMCB_WORD(ldtr.attributes, 32), FIELD_BOTH,
		read_access, write_access),
	ROW(GUEST_INTERRUPTIBILITY, GUEST_INTERRUPTIBILITY, VMCB_WORD(interrupt_shadow, 0),
		FIELD_BOTH, read_blocking, write_blocking),
	NONE(GUEST_ACTIVITY, GUEST_SMBASE, BOTH),
	BLOCK(GUEST_SYSENTER_CS, GUEST_SYSENTER_CS, sysenter_cs, 0, 0),
	NONE(PREEMPTION_TIMER, PREEMPTION_TIMER, BOTH),
	OURS(CR0_MASK, svm.cr0_mask, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR4_MASK, svm.cr4_mask, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR0_SHADOW, svm.cr0_shadow, FIELD_BOTH | FIELD_MASKS, NULL),
	OURS(CR4_SHADOW, svm.cr4_shadow, FIELD_BOTH | FIELD_MASKS, NULL),
	NONE(IO_RCX, GUEST_LINEAR_ADDRESS, READ),
	BLOCK(GUEST_CR0, GUEST_CR0, cr0, 0, FIELD_STALE | FIELD_MASKS),
	BLOCK(GUEST_CR3, GUEST_CR3, cr3, 0, FIELD_STALE),
	ROW(GUEST_CR4, GUEST_CR4, VMCB_WORD(cr4, 0), FIELD_BOTH | FIELD_STALE | FIELD_MASKS, NULL,
		write_cr4),
	BLOCK(GUEST_ES_BASE, GUEST_GS_BASE, es.base, 16, 0),
	BLOCK(GUEST_LDTR_BASE, GUEST_TR_BASE, ldtr.base, 32, 0),
	BLOCK(GUEST_GDTR_BASE, GUEST_IDTR_BASE, gdtr.base, 32, 0),
	BLOCK(GUEST_DR7, GUEST_DR7, dr7, 0, 0),
	BLOCK(GUEST_RSP, GUEST_RSP, rsp, 0, 0),
	ROW(GUEST_RIP, GUEST_RIP, VMCB_WORD(rip, 0), FIELD_BOTH, NULL, guest_write_rip),
	BLOCK(GUEST_RFLAGS, GUEST_RFLAGS, rflags, 0, 0),
	NONE(GUEST_PENDING_DEBUG, GUEST_PENDING_DEBUG, BOTH),
	BLOCK(GUEST_SYSENTER_ESP, GUEST_SYSENTER_EIP, sysenter_esp, 8, 0),
	OTHER(CR2, CR2, VMCB_WORD(cr2, 0), FIELD_WRITE, NULL),
	OTHER(DR0, DR3, OUR_WORD(dr[0], 8), FIELD_WRITE | FIELD_OURS | FIELD_DEBUG, NULL),
	OTHER(DR6, DR6, VMCB_WORD(dr6, 0), FIELD_WRITE, guest_check_32_bits),
	OTHER(XCR0, XCR0, OUR_WORD(xcr0, 0), FIELD_WRITE | FIELD_OURS, guest_xcr0_write),
	OTHER(XCR0_OFFERED, XCR0_OFFERED, OUR_WORD(xcr0_offered, 0), FIELD_OURS, NULL),
	{VCPU_FIELD_TIMER, VCPU_FIELD_TIMER, 0, 0, 0, FIELD_BOTH, NULL, NULL, 0},
	OTHER(KERNEL_GS_BASE, KERNEL_GS_BASE, VMCB_WORD(kernel_gs_base, 0), FIELD_WRITE,
		guest_check_address),
	OTHER(STAR, STAR, VMCB_WORD(star, 0), FIELD_WRITE, NULL),
	OTHER(LSTAR, CSTAR, VMCB_WORD(lstar, 8), FIELD_WRITE, guest_check_address),
	OTHER(FMASK, FMASK, VMCB_WORD(fmask, 0), FIELD_WRITE, guest_check_32_bits),
	OTHER(TSC_AUX, TSC_AUX, OUR_WORD(svm.tsc_aux, 0), FIELD_WRITE | FIELD_OURS,
		guest_check_32_bits),
	{VCPU_FIELD_SPEC_CTRL, VCPU_FIELD_SPEC_CTRL, OUR_WORD(spec_ctrl, 0),
		FIELD_BOTH | FIELD_OURS, read_spec_ctrl, write_spec_ctrl, 0},
	// clang-format on
};

static const struct guest_field *find_row(uint64_t field, enum field_flags flag) {
	return guest_field_find(rows, array_count(rows), field, flag);
}

static void *find_word(struct guest *guest, const struct guest_field *row, uint64_t field) {
	return guest_field_word(
		guest, row->flags & FIELD_OURS ? (void *)guest : guest->svm.vmcb, row, field);
}

static uint64_t read_word(
	const struct guest *guest, const struct guest_field *row, const void *word) {
	uint64_t value = 0;

	memcpy(&value, word, row->size);
	return row->read ? row->read(guest, word, value) : value;
}

bool svm_field_read(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find_row(field, FIELD_READ);

	if (row) *value = read_word(guest, row, find_word(guest, row, field));
	return row;
}

uint64_t svm_field_get(struct guest *guest, uint64_t field) {
	uint64_t value = 0;

	(void)svm_field_read(guest, field, &value);
	return value;
}

bool svm_field_write(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find_row(field, FIELD_WRITE);
	void *word;

	if (!row) return false;
	word = find_word(guest, row, field);
	if (row->write && !row->write(guest, value)) return false;
	memcpy(word, value, row->size);
	if (field == VMCS_GUEST_SS_ACCESS)
		guest->svm.vmcb->cpl = *value >> VCPU_SEGMENT_PRIVILEGE_SHIFT & 3;
	if (row->flags & FIELD_CONTROLS) svm_set_intercepts(guest);
	if (row->flags & FIELD_MASKS) svm_set_masks(guest);
	if (row->flags & FIELD_STALE) {
		guest->svm.is_stale = true;
		this_cpu()->guest_prepared = NULL;
	}
	guest->svm.vmcb->clean = 0;
	*value = read_word(guest, row, word);
	return true;
}
