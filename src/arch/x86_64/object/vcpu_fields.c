// SPDX-License-Identifier: BSD-2-Clause
// VMCS fields as clients see them: which may be read and written, and what becomes of a value
// (VCPU-15 to VCPU-20).
#include <object/vcpu.h>

#include <cpu/segments.h>
#include <syscall/invocation.h>

enum field_flags {
	FIELD_READ = 1 << 0,
	FIELD_WRITE = 1 << 1,
	FIELD_STALE = 1 << 2, // a change makes kept linear translations wrong (SDM 3C 29.4.3)
	FIELD_BOTH = FIELD_READ | FIELD_WRITE,
};

enum { LBR_BTF = 3, HLT = 1 }; // of IA32_DEBUGCTL; activity state

// Fields first..last (even encodings) of the same kind. Without flags they are fields no client
// reaches, whose values VMCLEAR leaves open. word limits the value, write, if any, changes it and
// notes what the kernel must know; read replaces what the VMCS holds.
struct field_row {
	uint32_t first, last, flags;
	enum vmx_word word;
	uint64_t (*write)(struct vcpu *vcpu, uint64_t value);
	uint64_t (*read)(const struct vcpu *vcpu);
};

// The kernel's own deadline always runs in the preemption timer, whatever the client wants of it:
// it ends a guest's turn also where an interrupt would not.
static uint64_t write_pin(struct vcpu *vcpu, uint64_t value) {
	vcpu->pin = (uint32_t)value;
	return value | (vmx_has_timer() ? PIN_TIMER : 0u);
}

static uint64_t read_pin(const struct vcpu *vcpu) { return vcpu->pin; }

static uint64_t write_primary(struct vcpu *vcpu, uint64_t value) {
	vcpu->primary = (uint32_t)value;
	if (vcpu->tsc_offset) vcpu->primary |= PRIMARY_TSC_OFFSETTING;
	return vcpu->primary;
}

// #DB and #AC may come again in their own delivery, for ever and with no interrupt in between, and
// a machine check is the host's: they always exit (SDM 3C 25.6.3).
static uint64_t write_exceptions(struct vcpu *vcpu, uint64_t value) {
	vcpu->exceptions = (uint32_t)value;
	return value | 1 << VECTOR_DEBUG | 1 << VECTOR_ALIGNMENT | 1 << VECTOR_MACHINE_CHECK;
}

static uint64_t read_exceptions(const struct vcpu *vcpu) { return vcpu->exceptions; }

static uint64_t write_exit(struct vcpu *vcpu, uint64_t value) {
	vcpu->exit = (uint32_t)value;
	return value;
}

static uint64_t write_timer(struct vcpu *vcpu, uint64_t value) {
	vcpu->timer_value = (uint32_t)value;
	vcpu->timer_left = vcpu->timer_value;
	return value;
}

static uint64_t read_timer(const struct vcpu *vcpu) { return vcpu->timer_value; }

// Not every CPU checks reserved bits; those of branch trace stores would write to memory.
static uint64_t write_debugctl(struct vcpu *, uint64_t value) { return value & LBR_BTF; }

// Shutdown and wait-for-SIPI would keep the core from the host (SDM 3C 27.7.2): active instead.
static uint64_t write_activity(struct vcpu *, uint64_t value) { return value == HLT ? HLT : 0; }

static uint64_t write_rip(struct vcpu *, uint64_t value) { return vcpu_clean_rip(value); }

static const struct field_row field_rows[] = {
	{0x0800, 0x080e, FIELD_BOTH, VMX_ANY, NULL, NULL}, // selectors
	{0x2010, 0x2010, 0, VMX_ANY, NULL, NULL}, // TSC offset
	{0x202c, 0x202c, 0, VMX_ANY, NULL, NULL}, // XSS-exiting bitmap
	{0x2400, 0x2400, FIELD_READ, VMX_ANY, NULL, NULL}, // guest-physical address
	{0x2802, 0x2802, FIELD_BOTH, VMX_ANY, write_debugctl, NULL},
	{0x2804, 0x2804, FIELD_BOTH, VMX_ANY, NULL, NULL}, // PAT
	{0x2806, 0x2806, FIELD_BOTH | FIELD_STALE, VMX_ANY, NULL, NULL}, // EFER
	{0x2808, 0x2808, FIELD_BOTH, VMX_ANY, NULL, NULL}, // PERF_GLOBAL_CTRL
	{0x280a, 0x2810, FIELD_BOTH | FIELD_STALE, VMX_ANY, NULL, NULL}, // PDPTEs
	{0x4000, 0x4000, FIELD_BOTH, VMX_PIN, write_pin, read_pin},
	{0x4002, 0x4002, FIELD_BOTH, VMX_PRIMARY, write_primary, NULL},
	{0x4004, 0x4004, FIELD_BOTH, VMX_ANY, write_exceptions, read_exceptions},
	// Page-fault mask and match, so that the exception bitmap alone decides; CR3 targets.
	{0x4006, 0x400a, 0, VMX_ANY, NULL, NULL},
	{0x400c, 0x400c, FIELD_BOTH, VMX_EXIT, write_exit, NULL},
	{0x400e, 0x4010, 0, VMX_ANY, NULL, NULL}, // MSR lists of exits
	{0x4012, 0x4012, FIELD_BOTH, VMX_ENTRY, NULL, NULL},
	{0x4014, 0x4014, 0, VMX_ANY, NULL, NULL}, // MSR list of entries
	{0x4016, 0x4016, FIELD_BOTH, VMX_ANY, NULL, NULL}, // entry interruption information
	{0x4018, 0x4018, FIELD_WRITE, VMX_ANY, NULL, NULL}, // entry exception error code
	{0x401a, 0x401c, 0, VMX_ANY, NULL, NULL}, // entry instruction length, TPR threshold
	{0x401e, 0x401e, FIELD_BOTH, VMX_SECONDARY, NULL, NULL},
	{0x4400, 0x4400, FIELD_READ, VMX_ANY, NULL, NULL}, // instruction error
	{0x4404, 0x440e, FIELD_READ, VMX_ANY, NULL, NULL}, // exit and vectoring information
	// Limits, access rights, interruptibility.
	{0x4800, 0x4824, FIELD_BOTH, VMX_ANY, NULL, NULL},
	{0x4826, 0x4826, FIELD_BOTH, VMX_ANY, write_activity, NULL},
	{0x4828, 0x482a, FIELD_BOTH, VMX_ANY, NULL, NULL}, // SMBASE, SYSENTER_CS
	{0x482e, 0x482e, FIELD_BOTH, VMX_ANY, write_timer, read_timer},
	{0x6000, 0x6000, FIELD_BOTH, VMX_CR0_MASK, NULL, NULL},
	{0x6002, 0x6002, FIELD_BOTH, VMX_CR4_MASK, NULL, NULL},
	{0x6004, 0x6006, FIELD_BOTH, VMX_ANY, NULL, NULL}, // read shadows
	{0x6402, 0x640a, FIELD_READ, VMX_ANY, NULL, NULL}, // I/O RCX..RIP, linear address
	{0x6800, 0x6800, FIELD_BOTH | FIELD_STALE, VMX_CR0, NULL, NULL},
	{0x6802, 0x6802, FIELD_BOTH | FIELD_STALE, VMX_ANY, NULL, NULL}, // CR3
	{0x6804, 0x6804, FIELD_BOTH | FIELD_STALE, VMX_CR4, NULL, NULL},
	{0x6806, 0x681c, FIELD_BOTH, VMX_ANY, NULL, NULL}, // bases, DR7, RSP
	{0x681e, 0x681e, FIELD_BOTH, VMX_ANY, write_rip, NULL},
	{0x6820, 0x6826, FIELD_BOTH, VMX_ANY, NULL, NULL}, // RFLAGS, debug exceptions, SYSENTER
};

// The row of the field that word 0 of at least `words` names; null if there is none with the flag.
static const struct field_row *find_row(
	const struct invocation *invocation, unsigned words, enum field_flags flag) {
	if (invocation->length < words) return NULL;
	for (unsigned i = 0; i < array_count(field_rows); i++) {
		const struct field_row *row = &field_rows[i];
		uint64_t encoding = invocation_word(invocation, 0);

		if (encoding < row->first || encoding > row->last || encoding & 1) continue;
		return row->flags & flag ? row : NULL;
	}
	return NULL;
}

// Writes value as the row says; false if this CPU has no such field. *value becomes what the client
// is told. The VMCS is current.
static bool write_field(
	struct vcpu *vcpu, const struct field_row *row, uint32_t encoding, uint64_t *value) {
	// By the encoding's width (SDM 3C 25.11.2).
	static const uint64_t masks[] = {UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
	uint64_t written = vmx_apply(row->word, *value & masks[encoding >> 13 & 3]);

	if (row->write) written = row->write(vcpu, written);
	*value = row->read ? row->read(vcpu) : written;
	if (row->flags & FIELD_STALE) vcpu->is_stale = true;
	return vmcs_try_write(VMCS_FIELD(encoding), written);
}

void vcpu_set_primary(struct vcpu *vcpu, uint64_t value) {
	vmcs_write(VMCS_PRIMARY, write_primary(vcpu, vmx_apply(VMX_PRIMARY, value)));
}

void vcpu_reset_fields(struct vcpu *vcpu) {
	for (unsigned i = 0; i < array_count(field_rows); i++) {
		const struct field_row *row = &field_rows[i];

		if (row->flags == FIELD_READ) continue;
		for (uint32_t encoding = row->first; encoding <= row->last; encoding += 2) {
			uint64_t value = encoding == VMCS_ENTRY.encoding ? ENTRY_GUEST_64 : 0;

			(void)write_field(vcpu, row, encoding, &value);
		}
	}
	(void)vmcs_try_write(VMCS_FIELD(0x2800), UINT64_MAX); // link pointer: none
	(void)vmcs_try_write(VMCS_FIELD(0x4020), 128); // PAUSE gap and window, in ticks
	(void)vmcs_try_write(VMCS_FIELD(0x4022), 4096);
}

enum error vcpu_read_vmcs(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	const struct field_row *row = find_row(invocation, 1, FIELD_READ);
	uint32_t encoding = (uint32_t)invocation_word(invocation, 0);
	uint64_t value = 0;

	if (!row) return ERROR_ILLEGAL_OPERATION;
	if (row->read) return invocation_return(invocation, row->read(vcpu));
	vcpu_load(vcpu);
	if (!vmcs_try_read(VMCS_FIELD(encoding), &value)) return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, value);
}

enum error vcpu_write_vmcs(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	const struct field_row *row = find_row(invocation, 2, FIELD_WRITE);
	uint32_t encoding = (uint32_t)invocation_word(invocation, 0);
	uint64_t value = invocation_word(invocation, 1);

	if (!row) return ERROR_ILLEGAL_OPERATION;
	vcpu_load(vcpu);
	if (!write_field(vcpu, row, encoding, &value)) return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, value);
}
