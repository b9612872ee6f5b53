// SPDX-License-Identifier: BSD-2-Clause
// VMCS fields as clients see them: which may be read and written, and what becomes of a value
// (VCPU-15 to VCPU-20).
#include <guest/vmx/internal.h>

#include <cpu/segments.h>

enum field_flags {
	FIELD_READ = 1 << 0,
	FIELD_WRITE = 1 << 1,
	FIELD_STALE = 1 << 2, // a change makes kept linear translations wrong (SDM 3C 29.4.3)
	FIELD_BOTH = FIELD_READ | FIELD_WRITE,
};

// Fields first..last (even encodings) of the same kind. Without flags they are fields no client
// reaches, whose values VMCLEAR leaves open. word limits the value. Where shown is, the client's
// value is kept at that offset of struct guest, and is what it reads. write, if any, makes of it
// what the VMCS gets.
struct field_row {
	uint32_t first, last, flags;
	enum vmx_word word;
	uint16_t shown;
	uint64_t (*write)(struct guest *guest, uint64_t value);
};

void guest_timer_reset(struct guest *guest) { guest->vmx.timer_left = guest->vmx.timer_value; }

// The kernel's own deadline always runs in the preemption timer, whatever the client wants of it:
// it ends a guest's turn also where an interrupt would not.
static uint64_t write_pin(struct guest *guest, uint64_t value) {
	guest_timer_reset(guest);
	return value | (vmx_has_timer() ? PIN_TIMER : 0u);
}

static uint64_t write_primary(struct guest *guest, uint64_t value) {
	guest->vmx.primary = (uint32_t)value;
	if (guest->tsc_offset) guest->vmx.primary |= PRIMARY_TSC_OFFSETTING;
	return guest->vmx.primary;
}

// #DB and #AC may come again in their own delivery, for ever and with no interrupt in between, and
// a machine check is the host's: they always exit (SDM 3C 25.6.3).
static uint64_t write_exceptions(struct guest *, uint64_t value) {
	return value | 1 << VECTOR_DEBUG | 1 << VECTOR_ALIGNMENT | 1 << VECTOR_MACHINE_CHECK;
}

static uint64_t write_timer(struct guest *guest, uint64_t value) {
	guest_timer_reset(guest);
	return value;
}

// Not every CPU checks reserved bits; those of branch trace stores would write to memory.
static uint64_t write_debugctl(struct guest *, uint64_t value) {
	return value & (DEBUGCTL_LBR | DEBUGCTL_BTF);
}

// Shutdown and wait-for-SIPI would keep the core from the host (SDM 3C 27.7.2): active instead.
static uint64_t write_activity(struct guest *, uint64_t value) {
	return value == ACTIVITY_HLT ? ACTIVITY_HLT : ACTIVITY_ACTIVE;
}

static uint64_t write_rip(struct guest *, uint64_t value) { return vmx_clean_rip(value); }

#define FIELDS(first, last, flags) \
	{ VMCS_##first, VMCS_##last, flags, VMX_ANY, 0, NULL }
#define FIELD(field, flags, word, write) \
	{ VMCS_##field, VMCS_##field, flags, word, 0, write }
#define SHOWN(field, word, member, write) \
	{ VMCS_##field, VMCS_##field, FIELD_BOTH, word, offsetof(struct guest, vmx.member), write }

static const struct field_row field_rows[] = {
	FIELDS(GUEST_ES_SELECTOR, GUEST_TR_SELECTOR, FIELD_BOTH),
	FIELDS(TSC_OFFSET, TSC_OFFSET, 0),
	FIELDS(XSS_EXITING, XSS_EXITING, 0),
	FIELDS(GUEST_PHYSICAL_ADDRESS, GUEST_PHYSICAL_ADDRESS, FIELD_READ),
	FIELD(GUEST_DEBUGCTL, FIELD_BOTH, VMX_ANY, write_debugctl),
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
	FIELDS(ENTRY_INTERRUPTION, ENTRY_INTERRUPTION, FIELD_BOTH),
	FIELDS(ENTRY_ERROR_CODE, ENTRY_ERROR_CODE, FIELD_WRITE),
	FIELDS(ENTRY_INSTRUCTION_LENGTH, TPR_THRESHOLD, 0),
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
	FIELD(GUEST_RIP, FIELD_BOTH, VMX_ANY, write_rip),
	FIELDS(GUEST_RFLAGS, GUEST_SYSENTER_EIP, FIELD_BOTH),
};

// The row of a field; null if there is none with the flag.
static const struct field_row *find_row(uint64_t encoding, enum field_flags flag) {
	for (unsigned i = 0; i < array_count(field_rows); i++) {
		const struct field_row *row = &field_rows[i];

		if (encoding < row->first || encoding > row->last || encoding & 1) continue;
		return row->flags & flag ? row : NULL;
	}
	return NULL;
}

static uint32_t *shown_value(struct guest *guest, const struct field_row *row) {
	return (uint32_t *)((char *)guest + row->shown);
}

// Writes value as the row says; false if this CPU has no such field. *value becomes the
// answer to the monitor. The VMCS is current.
static bool write_field(
	struct guest *guest, const struct field_row *row, uint32_t encoding, uint64_t *value) {
	// By the encoding's width (SDM 3C 25.11.2).
	static const uint64_t masks[] = {UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
	uint64_t written = vmx_apply(row->word, *value & masks[encoding >> 13 & 3]);

	if (row->shown) *shown_value(guest, row) = (uint32_t)written;
	if (row->write) written = row->write(guest, written);
	*value = row->shown ? *shown_value(guest, row) : written;
	if (row->flags & FIELD_STALE) {
		guest->vmx.is_stale = true;
		this_cpu()->guest_prepared = NULL;
	}
	return vmcs_try_write(encoding, written);
}

bool vmx_field_write(struct guest *guest, enum vmcs_field field, uint64_t value) {
	return write_field(guest, find_row(field, FIELD_WRITE), field, &value);
}

void vmx_set_primary(struct guest *guest, uint64_t value) {
	vmcs_write(VMCS_PRIMARY_CONTROLS, write_primary(guest, vmx_apply(VMX_PRIMARY, value)));
}

void vmx_reset_fields(struct guest *guest) {
	for (unsigned i = 0; i < array_count(field_rows); i++) {
		const struct field_row *row = &field_rows[i];

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

bool guest_field_read(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct field_row *row = find_row(field, FIELD_READ);

	if (!row) return false;
	guest_load(guest);
	if (!row->shown) return vmcs_try_read((enum vmcs_field)field, value);
	*value = *shown_value(guest, row);
	return true;
}

bool guest_field_write(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct field_row *row = find_row(field, FIELD_WRITE);

	if (!row) return false;
	guest_load(guest);
	return write_field(guest, row, (uint32_t)field, value);
}
