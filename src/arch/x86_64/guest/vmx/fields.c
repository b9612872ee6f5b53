// SPDX-License-Identifier: BSD-2-Clause
// Fields as monitors see them, of the VMCS and others: which may be read and written, and what
// becomes of a value (VCPU-15 to VCPU-20, VCPU-23).
#include <guest/vmx/internal.h>

// The monitor's value, or the control, which may have been off when a run ended.
static bool write_timer(struct guest *guest, uint64_t *) {
	guest->vmx.timer_left = guest->vmx.timer_value;
	return true;
}

// The kernel's own deadline always runs in the preemption timer, whatever the monitor wants of it:
// it ends a guest's turn also where an interrupt would not.
static bool write_pin(struct guest *guest, uint64_t *value) {
	if (guest->vmx.has_timer) *value |= PIN_TIMER;
	return write_timer(guest, value);
}

static bool write_primary(struct guest *guest, uint64_t *value) {
	if (guest->vmx.tsc_offset) *value |= PRIMARY_TSC_OFFSETTING;
	guest->vmx.primary = *value;
	return true;
}

static bool write_tsc_offset(struct guest *guest, uint64_t *value) {
	guest->vmx.tsc_offset = *value;
	vmx_set_primary(guest, guest->vmx.primary);
	return true;
}

// #DB and #AC may come again in their own delivery, for ever and with no interrupt in between, and
// a machine check is the host's: they always exit (SDM 3C 25.6.3).
static bool write_exceptions(struct guest *, uint64_t *value) {
	*value |= 1 << VECTOR_DEBUG | 1 << VECTOR_ALIGNMENT | 1 << VECTOR_MACHINE_CHECK;
	return true;
}

// In TSC ticks, and with the control that goes with it. Without effect where the CPU has no timer.
static bool write_ticks(struct guest *guest, uint64_t *value) {
	uint64_t steps = *value >> guest->vmx.timer_rate;
	uint64_t pin = guest->vmx.pin & ~(uint64_t)PIN_TIMER;

	if (*value) pin |= PIN_TIMER;
	if (steps > UINT32_MAX) steps = UINT32_MAX;
	if (!steps) steps = 1;
	return guest_field_write(guest, VMCS_PIN_CONTROLS, &pin) &&
		(!guest->vmx.has_timer || guest_field_write(guest, VMCS_PREEMPTION_TIMER, &steps));
}

// Shutdown and wait-for-SIPI would keep the core from the host (SDM 3C 27.7.2): active instead.
static bool write_activity(struct guest *, uint64_t *value) {
	if (*value != ACTIVITY_HLT) *value = ACTIVITY_ACTIVE;
	return true;
}

// Without more flags they are fields no monitor reaches, whose values VMCLEAR leaves open. Where
// there is a member, the monitor's value is there in struct guest, and is what it reads.
#define FIELDS(first, last, flags) \
	FIELD_ROW(VMCS_##first, VMCS_##last, 0, FIELD_VMCS | (flags), 0, NULL, VMX_ANY)
#define FIELD(field, flags, limits, write) \
	FIELD_ROW(VMCS_##field, VMCS_##field, 0, FIELD_VMCS | (flags), 0, write, limits)
#define WORD(field, flags, member, limits, write) \
	FIELD_ROW(field, field, offsetof(struct guest, member), FIELD_OURS | (flags), \
		sizeof(uint64_t), write, limits)
#define SHOWN(field, limits, member, write) \
	WORD(VMCS_##field, FIELD_BOTH, vmx.member, limits, write)
#define KEPT(field, flags, member, write) WORD(VCPU_FIELD_##field, flags, member, VMX_ANY, write)
#define MSR(name, write) KEPT(name, FIELD_BOTH, vmx.msrs[GUEST_MSR_##name].value, write)

const struct guest_field vmx_fields[GUEST_FIELDS] = {
	FIELDS(GUEST_ES_SELECTOR, GUEST_TR_SELECTOR, FIELD_BOTH),
	FIELD(TSC_OFFSET, FIELD_BOTH, VMX_ANY, write_tsc_offset),
	FIELDS(XSS_EXITING, XSS_EXITING, 0),
	FIELDS(GUEST_PHYSICAL_ADDRESS, GUEST_PHYSICAL_ADDRESS, FIELD_READ),
	FIELD(GUEST_DEBUGCTL, FIELD_BOTH, VMX_ANY, guest_write_debugctl),
	FIELDS(GUEST_PAT, GUEST_PAT, FIELD_BOTH),
	FIELDS(GUEST_EFER, GUEST_EFER, FIELD_BOTH | FIELD_STALE),
	FIELDS(GUEST_PERF_GLOBAL_CTRL, GUEST_PERF_GLOBAL_CTRL, FIELD_BOTH),
	FIELDS(GUEST_PDPTE0, GUEST_PDPTE3, FIELD_BOTH | FIELD_STALE),
	SHOWN(PIN_CONTROLS, VMX_PIN, pin, write_pin),
	SHOWN(PRIMARY_CONTROLS, VMX_PRIMARY, primary, write_primary),
	SHOWN(EXCEPTION_BITMAP, VMX_ANY, exceptions, write_exceptions),
	FIELDS(PAGE_FAULT_MASK, CR3_TARGET_COUNT, 0), // the exception bitmap alone decides
	SHOWN(EXIT_CONTROLS, VMX_EXIT, exit, NULL),
	FIELDS(EXIT_MSR_STORE_COUNT, EXIT_MSR_LOAD_COUNT, 0),
	FIELD(ENTRY_CONTROLS, FIELD_BOTH, VMX_ENTRY, NULL),
	FIELDS(ENTRY_MSR_LOAD_COUNT, ENTRY_MSR_LOAD_COUNT, 0),
	FIELDS(ENTRY_INTERRUPTION, ENTRY_ERROR_CODE, FIELD_BOTH),
	FIELD(ENTRY_INSTRUCTION_LENGTH, FIELD_BOTH, VMX_ANY, guest_check_length),
	FIELDS(TPR_THRESHOLD, TPR_THRESHOLD, 0),
	FIELD(SECONDARY_CONTROLS, FIELD_BOTH, VMX_SECONDARY, NULL),
	FIELDS(INSTRUCTION_ERROR, INSTRUCTION_ERROR, FIELD_READ),
	FIELDS(EXIT_INTERRUPTION, EXIT_INSTRUCTION_INFORMATION, FIELD_READ),
	FIELDS(GUEST_ES_LIMIT, GUEST_INTERRUPTIBILITY, FIELD_BOTH),
	FIELD(GUEST_ACTIVITY, FIELD_BOTH, VMX_ANY, write_activity),
	FIELDS(GUEST_SMBASE, GUEST_SYSENTER_CS, FIELD_BOTH),
	SHOWN(PREEMPTION_TIMER, VMX_ANY, timer_value, write_timer),
	FIELD(CR0_MASK, FIELD_BOTH, VMX_CR0_MASK, NULL),
	FIELD(CR4_MASK, FIELD_BOTH, VMX_CR4_MASK, NULL),
	FIELDS(CR0_SHADOW, CR4_SHADOW, FIELD_BOTH),
	FIELDS(IO_RCX, GUEST_LINEAR_ADDRESS, FIELD_READ),
	FIELD(GUEST_CR0, FIELD_BOTH | FIELD_STALE, VMX_CR0, NULL),
	FIELDS(GUEST_CR3, GUEST_CR3, FIELD_BOTH | FIELD_STALE),
	FIELD(GUEST_CR4, FIELD_BOTH | FIELD_STALE, VMX_CR4, NULL),
	FIELDS(GUEST_ES_BASE, GUEST_RSP, FIELD_BOTH), // and DR7
	FIELD(GUEST_RIP, FIELD_BOTH, VMX_ANY, guest_write_rip),
	FIELDS(GUEST_RFLAGS, GUEST_SYSENTER_EIP, FIELD_BOTH),
	KEPT(CR2, FIELD_BOTH, vmx.cr2, NULL),
	KEPT(DR0, FIELD_BOTH | FIELD_DEBUG, dr[0], NULL),
	KEPT(DR1, FIELD_BOTH | FIELD_DEBUG, dr[1], NULL),
	KEPT(DR2, FIELD_BOTH | FIELD_DEBUG, dr[2], NULL),
	KEPT(DR3, FIELD_BOTH | FIELD_DEBUG, dr[3], NULL),
	KEPT(DR6, FIELD_BOTH, vmx.dr6, guest_check_32_bits),
	KEPT(XCR0, FIELD_BOTH, xcr0, guest_xcr0_write),
	KEPT(XCR0_OFFERED, FIELD_READ, xcr0_offered, NULL),
	KEPT(TIMER, FIELD_BOTH, vmx.ticks, write_ticks),
	MSR(KERNEL_GS_BASE, guest_check_address),
	MSR(STAR, NULL),
	MSR(LSTAR, guest_check_address),
	MSR(CSTAR, guest_check_address),
	MSR(FMASK, guest_check_32_bits),
	MSR(TSC_AUX, guest_check_32_bits),
	KEPT(SPEC_CTRL, FIELD_BOTH, spec_ctrl, vmx_write_spec_ctrl),
};

// The row's write function sees the kept value already. The VMCS is current.
bool vmx_field_write(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value) {
	// By the encoding's width (SDM 3C 25.11.2).
	static const uint64_t masks[] = {UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
	uint64_t written = word_apply(row->limits, value & masks[field >> 13 & 3]);
	uint64_t *kept = row->flags & FIELD_OURS ? field_word(guest, row) : &value;
	uint64_t before = *kept;

	*kept = written;
	if (row->write && !row->write(guest, &written)) {
		*kept = before;
		return false;
	}
	return field >= VCPU_FIELD_CR2 || vmcs_try_write((enum vmcs_field)field, written);
}

void vmx_set_primary(struct guest *guest, uint64_t value) {
	guest->vmx.primary = word_apply(VMX_PRIMARY, value);
	(void)write_primary(guest, &guest->vmx.primary);
	vmcs_write(VMCS_PRIMARY_CONTROLS, guest->vmx.primary);
}

void vmx_reset_fields(struct guest *guest) {
	for (unsigned i = 0; i < GUEST_FIELDS; i++) {
		const struct guest_field *row = &vmx_fields[i];
		uint32_t field = row->first + 2 * (i - FIELD_NUMBER(row->first));

		if (row->first && field < VCPU_FIELD_CR2 && (row->flags & FIELD_BOTH) != FIELD_READ)
			(void)vmx_field_write(guest, row, field,
				field == VMCS_ENTRY_CONTROLS ? ENTRY_GUEST_64 : 0);
	}
	(void)vmcs_try_write(VMCS_LINK_POINTER, UINT64_MAX); // none
	(void)vmcs_try_write(VMCS_PAUSE_GAP, 128); // ticks
	(void)vmcs_try_write(VMCS_PAUSE_WINDOW, 4096);
}
