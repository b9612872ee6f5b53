// SPDX-License-Identifier: BSD-2-Clause
// Fields as monitors see them, of the VMCS and others: which may be read and written, and what
// becomes of a value (VCPU-15 to VCPU-20, VCPU-23).
#include <guest/field.h>
#include <guest/vmx/internal.h>

#include <cpu/segments.h>

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
	return vmx_field_write(guest, VMCS_PIN_CONTROLS, &pin) &&
		(!guest->vmx.has_timer || vmx_field_write(guest, VMCS_PREEMPTION_TIMER, &steps));
}

// Shutdown and wait-for-SIPI would keep the core from the host (SDM 3C 27.7.2): active instead.
static bool write_activity(struct guest *, uint64_t *value) {
	if (*value != ACTIVITY_HLT) *value = ACTIVITY_ACTIVE;
	return true;
}

// Without flags they are fields no monitor reaches, whose values VMCLEAR leaves open. Where there
// is an offset, the monitor's value is there in struct guest, and is what it reads.
#define ROW(first, last, offset, flags, limits, write) \
	{ first, last, offset, sizeof(uint64_t), sizeof(uint64_t), flags, NULL, write, limits }
#define FIELDS(first, last, flags) ROW(VMCS_##first, VMCS_##last, 0, flags, VMX_ANY, NULL)
#define FIELD(field, flags, limits, write) ROW(VMCS_##field, VMCS_##field, 0, flags, limits, write)
#define SHOWN(field, limits, member, write) \
	ROW(VMCS_##field, VMCS_##field, offsetof(struct guest, vmx.member), FIELD_BOTH, limits, \
		write)
#define KEPT(first, last, flags, member, write) \
	ROW(VCPU_FIELD_##first, VCPU_FIELD_##last, offsetof(struct guest, member), flags, VMX_ANY, \
		write)
#define MSR(name, write) KEPT(name, name, FIELD_BOTH, vmx.msrs[GUEST_MSR_##name].value, write)

static const struct guest_field rows[] = {
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
	KEPT(CR2, CR2, FIELD_BOTH, vmx.cr2, NULL),
	KEPT(DR0, DR3, FIELD_BOTH | FIELD_DEBUG, dr, NULL),
	KEPT(DR6, DR6, FIELD_BOTH, vmx.dr6, guest_check_32_bits),
	KEPT(XCR0, XCR0, FIELD_BOTH, xcr0, guest_xcr0_write),
	KEPT(XCR0_OFFERED, XCR0_OFFERED, FIELD_READ, xcr0_offered, NULL),
	KEPT(TIMER, TIMER, FIELD_BOTH, vmx.ticks, write_ticks),
	MSR(KERNEL_GS_BASE, guest_check_address),
	MSR(STAR, NULL),
	MSR(LSTAR, guest_check_address),
	MSR(CSTAR, guest_check_address),
	MSR(FMASK, guest_check_32_bits),
	MSR(TSC_AUX, guest_check_32_bits),
	KEPT(SPEC_CTRL, SPEC_CTRL, FIELD_BOTH, spec_ctrl, guest_check_spec_ctrl),
};

static const struct guest_field *find_row(uint64_t field, enum field_flags flag) {
	return guest_field_find(rows, array_count(rows), field, flag);
}

bool vmx_field_read(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find_row(field, FIELD_READ);

	if (!row) return false;
	if (!row->offset) return vmcs_try_read((enum vmcs_field)field, value);
	*value = *(uint64_t *)guest_field_word(guest, guest, row, field);
	return true;
}

// None of a class but the controls is kept (SDM 3D, table B-8).
uint64_t vmx_field_get(struct guest *guest, uint64_t field) {
	bool is_kept = field >= VCPU_FIELD_CR2 ||
		(field >= VMCS_PIN_CONTROLS && field < VMCS_INSTRUCTION_ERROR);
	uint64_t value = 0;

	if (likely(!is_kept))
		(void)vmcs_try_read((enum vmcs_field)field, &value);
	else
		(void)vmx_field_read(guest, field, &value);
	return value;
}

// Writes value as the row says; false if this CPU has no such field, or the value is refused.
// *value becomes the answer to the monitor. The VMCS is current.
static bool write_field(
	struct guest *guest, const struct guest_field *row, uint64_t encoding, uint64_t *value) {
	// By the encoding's width (SDM 3C 25.11.2).
	static const uint64_t masks[] = {UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
	uint64_t written = vmx_apply(row->limits, *value & masks[encoding >> 13 & 3]);
	uint64_t *kept = row->offset ? guest_field_word(guest, guest, row, encoding) : value;
	uint64_t before = *kept;

	*kept = written;
	if (row->write && !row->write(guest, &written)) {
		*kept = before;
		return false;
	}
	*value = row->offset ? *kept : written;
	if (row->flags & FIELD_STALE) {
		guest->vmx.is_stale = true;
		this_cpu()->guest_prepared = NULL;
	}
	return encoding >= VCPU_FIELD_CR2 || vmcs_try_write((enum vmcs_field)encoding, written);
}

bool vmx_field_write(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find_row(field, FIELD_WRITE);

	return row && write_field(guest, row, field, value);
}

void vmx_set_primary(struct guest *guest, uint64_t value) {
	guest->vmx.primary = vmx_apply(VMX_PRIMARY, value);
	(void)write_primary(guest, &guest->vmx.primary);
	vmcs_write(VMCS_PRIMARY_CONTROLS, guest->vmx.primary);
}

void vmx_reset_fields(struct guest *guest) {
	for (unsigned i = 0; rows[i].first < VCPU_FIELD_CR2; i++) {
		const struct guest_field *row = &rows[i];

		if (row->flags == FIELD_READ) continue;
		for (uint32_t encoding = row->first; encoding <= row->last; encoding += 2) {
			uint64_t value = encoding == VMCS_ENTRY_CONTROLS ? ENTRY_GUEST_64 : 0;

			(void)write_field(guest, row, encoding, &value);
		}
	}
	(void)vmcs_try_write(VMCS_LINK_POINTER, UINT64_MAX); // none
	(void)vmcs_try_write(VMCS_PAUSE_GAP, 128); // ticks
	(void)vmcs_try_write(VMCS_PAUSE_WINDOW, 4096);
}
