// SPDX-License-Identifier: BSD-2-Clause
// Guest state outside the VMCS: the switch between guest and host, and the extended state that
// clients read and write (docs/abi-extensions.md).
#include <object/vcpu.h>

#include <base/xcr0.h>
#include <cap/invocation.h>

enum {
	// CR4.PKE stays off and the bounds registers are gone from CPUs, so their state is not
	// offered.
	XCR0_OFFERED = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
	MAX_INSTRUCTION_LENGTH = 15,
};

static uint64_t xcr0_allowed(void) { return fpu_guest_xcr0(VCPU_FPU_AREA) & XCR0_OFFERED; }

void vcpu_state_init(struct vcpu *vcpu) {
	fpu_reset(&vcpu->fpu, VCPU_FPU_AREA, fpu_native_xcr0());
	vcpu->xcr0 = XCR0_X87;
	vcpu_msr_init(vcpu);
}

static void debug_save(struct vcpu *vcpu) {
	vcpu->dr[0] = dr0_read();
	vcpu->dr[1] = dr1_read();
	vcpu->dr[2] = dr2_read();
	vcpu->dr[3] = dr3_read();
}

static void debug_load(const struct vcpu *vcpu) {
	dr0_write(vcpu->dr[0]);
	dr1_write(vcpu->dr[1]);
	dr2_write(vcpu->dr[2]);
	dr3_write(vcpu->dr[3]);
}

void vcpu_state_forget(struct vcpu *vcpu) {
	struct cpu *cpu = this_cpu();

	if (cpu->debug_owner == vcpu) cpu->debug_owner = NULL;
	if (cpu->msr_bitmap_owner == vcpu) cpu->msr_bitmap_owner = NULL;
	fpu_forget(&vcpu->fpu);
}

// DR0 to DR3 stay a guest's until another guest runs: native code can neither read nor enable them,
// for VM exit sets DR7 to 0x400.
void vcpu_state_prepare(struct cpu *cpu, struct vcpu *vcpu) {
	vcpu_msr_prepare(cpu, vcpu);
	if (cpu->debug_owner == vcpu) return;
	if (cpu->debug_owner) debug_save(cpu->debug_owner);
	debug_load(vcpu);
	cpu->debug_owner = vcpu;
}

// Extended state

// What was ever enabled stays saved: it is still in the registers when the guest disables it. The
// registers are loaded anew, for those of a newly saved component may be another guest's.
static bool write_xcr0(struct vcpu *vcpu, uint64_t value) {
	if (!xcr0_is_valid(value, xcr0_allowed())) return false;
	vcpu->xcr0 = value;
	if (value & ~vcpu->fpu.xcr0) {
		fpu_flush(&vcpu->fpu);
		fpu_forget(&vcpu->fpu);
		vcpu->fpu.xcr0 |= value;
	}
	return true;
}

static bool write_tsc_offset(struct vcpu *vcpu, uint64_t value) {
	vcpu->tsc_offset = value;
	vcpu_load(vcpu);
	vmcs_write(VMCS_TSC_OFFSET, value);
	vcpu_set_primary(vcpu, vcpu->primary);
	return true;
}

static bool write_instruction_length(struct vcpu *vcpu, uint64_t value) {
	if (value > MAX_INSTRUCTION_LENGTH) return false;
	vcpu_load(vcpu);
	vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, value);
	return true;
}

static uint64_t read_instruction_length(struct vcpu *vcpu) {
	vcpu_load(vcpu);
	return vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH);
}

// DR0 to DR3 of the VCPU are up to date in memory, and loaded anew on the next entry.
static bool take_debug(struct vcpu *vcpu, uint64_t) {
	struct cpu *cpu = this_cpu();

	if (cpu->debug_owner == vcpu) {
		debug_save(vcpu);
		cpu->debug_owner = NULL;
		cpu->guest_prepared = NULL;
	}
	return true;
}

// What the instruction that writes the register would fault on.
static bool check_32_bits(struct vcpu *, uint64_t value) { return value <= UINT32_MAX; }

static bool check_address(struct vcpu *, uint64_t value) {
	return context_clean_address(value) == value;
}

static uint64_t read_xcr0_allowed(struct vcpu *) { return xcr0_allowed(); }

// A field is a word of struct vcpu unless read says otherwise. write checks, and stores what is not
// such a word; a field with neither word nor write is read only.
struct state_row {
	uint16_t offset; // 0: no word to store
	bool (*write)(struct vcpu *vcpu, uint64_t value);
	uint64_t (*read)(struct vcpu *vcpu);
};

#define STATE_WORD(member) .offset = offsetof(struct vcpu, member)

static const struct state_row state_rows[] = {
	[VCPU_STATE_CR2] = {STATE_WORD(cr2)},
	[VCPU_STATE_DR0] = {STATE_WORD(dr[0]), .write = take_debug},
	[VCPU_STATE_DR1] = {STATE_WORD(dr[1]), .write = take_debug},
	[VCPU_STATE_DR2] = {STATE_WORD(dr[2]), .write = take_debug},
	[VCPU_STATE_DR3] = {STATE_WORD(dr[3]), .write = take_debug},
	[VCPU_STATE_DR6] = {STATE_WORD(dr6), .write = check_32_bits},
	[VCPU_STATE_TSC_OFFSET] = {STATE_WORD(tsc_offset), .write = write_tsc_offset},
	[VCPU_STATE_XCR0] = {STATE_WORD(xcr0), .write = write_xcr0},
	[VCPU_STATE_ENTRY_INSTRUCTION_LENGTH] = {.write = write_instruction_length,
		.read = read_instruction_length},
	[VCPU_STATE_XCR0_ALLOWED] = {.read = read_xcr0_allowed},
	[VCPU_STATE_STAR] = {STATE_WORD(msrs[VCPU_MSR_STAR].value)},
	[VCPU_STATE_LSTAR] = {STATE_WORD(msrs[VCPU_MSR_LSTAR].value), .write = check_address},
	[VCPU_STATE_CSTAR] = {STATE_WORD(msrs[VCPU_MSR_CSTAR].value), .write = check_address},
	[VCPU_STATE_FMASK] = {STATE_WORD(msrs[VCPU_MSR_FMASK].value), .write = check_32_bits},
	[VCPU_STATE_KERNEL_GS_BASE] = {STATE_WORD(msrs[VCPU_MSR_KERNEL_GS_BASE].value),
		.write = check_address},
	[VCPU_STATE_TSC_AUX] = {STATE_WORD(msrs[VCPU_MSR_TSC_AUX].value), .write = check_32_bits},
};

static const struct state_row *find_row(uint64_t field) {
	const struct state_row *row = state_rows;

	if (field >= array_count(state_rows)) return NULL;
	row += field;
	return row->offset || row->read ? row : NULL;
}

static uint64_t *state_word(struct vcpu *vcpu, const struct state_row *row) {
	return (uint64_t *)((char *)vcpu + row->offset);
}

bool vcpu_state_write(struct vcpu *vcpu, enum vcpu_state_field field, uint64_t value) {
	const struct state_row *row = &state_rows[field];

	if (row->write && !row->write(vcpu, value)) return false;
	if (row->offset) *state_word(vcpu, row) = value;
	return true;
}

uint64_t vcpu_state_read(struct vcpu *vcpu, enum vcpu_state_field field) {
	const struct state_row *row = &state_rows[field];

	if (row->read) return row->read(vcpu);
	if (row->write == take_debug) (void)take_debug(vcpu, 0);
	return *state_word(vcpu, row);
}

enum error vcpu_read_state(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t field = invocation_word(invocation, 0);

	if (!find_row(field)) return error_argument(invocation, 0);
	return invocation_return(invocation, vcpu_state_read(vcpu, (enum vcpu_state_field)field));
}

enum error vcpu_write_state(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t field = invocation_word(invocation, 0), value = invocation_word(invocation, 1);
	const struct state_row *row = find_row(field);

	if (!row) return error_argument(invocation, 0);
	if (!row->offset && !row->write) return ERROR_ILLEGAL_OPERATION;
	return vcpu_state_write(vcpu, (enum vcpu_state_field)field, value)
		? ERROR_NONE
		: error_argument(invocation, 1);
}
