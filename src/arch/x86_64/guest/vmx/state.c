// SPDX-License-Identifier: BSD-2-Clause
// Guest state outside the VMCS: the switch between guest and host, and the extended state that
// clients read and write (docs/abi-extensions.md).
#include <guest/vmx/internal.h>

#include <base/xcr0.h>

enum {
	// CR4.PKE stays off and the bounds registers are gone from CPUs, so their state is not
	// offered.
	XCR0_OFFERED = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
	MAX_INSTRUCTION_LENGTH = 15,
};

static uint64_t xcr0_allowed(struct guest *) {
	return fpu_guest_xcr0(GUEST_FPU_AREA) & XCR0_OFFERED;
}

void vmx_state_init(struct guest *guest) {
	fpu_reset(&guest->fpu, GUEST_FPU_AREA, fpu_native_xcr0());
	guest->xcr0 = XCR0_X87;
	vmx_msr_init(guest);
}

static void debug_save(struct guest *guest) {
	guest->dr[0] = dr0_read();
	guest->dr[1] = dr1_read();
	guest->dr[2] = dr2_read();
	guest->dr[3] = dr3_read();
}

static void debug_load(const struct guest *guest) {
	dr0_write(guest->dr[0]);
	dr1_write(guest->dr[1]);
	dr2_write(guest->dr[2]);
	dr3_write(guest->dr[3]);
}

void vmx_state_forget(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	if (cpu->debug_owner == guest) cpu->debug_owner = NULL;
	if (cpu->msr_bitmap_owner == guest) cpu->msr_bitmap_owner = NULL;
	fpu_forget(&guest->fpu);
}

// DR0 to DR3 stay a guest's until another guest runs: native code can neither read nor enable them,
// for VM exit sets DR7 to 0x400.
void vmx_state_prepare(struct cpu *cpu, struct guest *guest) {
	vmx_msr_prepare(cpu, guest);
	if (cpu->debug_owner == guest) return;
	if (cpu->debug_owner) debug_save(cpu->debug_owner);
	debug_load(guest);
	cpu->debug_owner = guest;
}

// Extended state

// What was ever enabled stays saved: it is still in the registers when the guest disables it. The
// registers are loaded anew, for those of a newly saved component may be another guest's.
static bool write_xcr0(struct guest *guest, uint64_t value) {
	if (!xcr0_is_valid(value, xcr0_allowed(guest))) return false;
	guest->xcr0 = value;
	if (value & ~guest->fpu.xcr0) {
		fpu_flush(&guest->fpu);
		fpu_forget(&guest->fpu);
		guest->fpu.xcr0 |= value;
	}
	return true;
}

static bool write_tsc_offset(struct guest *guest, uint64_t value) {
	guest->tsc_offset = value;
	guest_load(guest);
	vmcs_write(VMCS_TSC_OFFSET, value);
	vmx_set_primary(guest, guest->vmx.primary);
	return true;
}

static bool write_instruction_length(struct guest *guest, uint64_t value) {
	if (value > MAX_INSTRUCTION_LENGTH) return false;
	guest_load(guest);
	vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, value);
	return true;
}

static uint64_t read_instruction_length(struct guest *guest) {
	guest_load(guest);
	return vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH);
}

// DR0 to DR3 of the VCPU are up to date in memory, and loaded anew on the next entry.
static bool take_debug(struct guest *guest, uint64_t) {
	struct cpu *cpu = this_cpu();

	if (cpu->debug_owner == guest) {
		debug_save(guest);
		cpu->debug_owner = NULL;
		cpu->guest_prepared = NULL;
	}
	return true;
}

// What the instruction that writes the register would fault on.
static bool check_32_bits(struct guest *, uint64_t value) { return value <= UINT32_MAX; }

static bool check_address(struct guest *, uint64_t value) {
	return context_clean_address(value) == value;
}

// A field is a word of struct guest unless read says otherwise. write checks, and stores what is
// not such a word.
struct state_row {
	uint16_t offset; // 0: no word to store
	bool (*write)(struct guest *guest, uint64_t value);
	uint64_t (*read)(struct guest *guest);
};

#define STATE_WORD(member) .offset = offsetof(struct guest, member)

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
	[VCPU_STATE_XCR0_ALLOWED] = {.read = xcr0_allowed},
	[VCPU_STATE_STAR] = {STATE_WORD(vmx.msrs[VCPU_MSR_STAR].value)},
	[VCPU_STATE_LSTAR] = {STATE_WORD(vmx.msrs[VCPU_MSR_LSTAR].value), .write = check_address},
	[VCPU_STATE_CSTAR] = {STATE_WORD(vmx.msrs[VCPU_MSR_CSTAR].value), .write = check_address},
	[VCPU_STATE_FMASK] = {STATE_WORD(vmx.msrs[VCPU_MSR_FMASK].value), .write = check_32_bits},
	[VCPU_STATE_KERNEL_GS_BASE] = {STATE_WORD(vmx.msrs[VCPU_MSR_KERNEL_GS_BASE].value),
		.write = check_address},
	[VCPU_STATE_TSC_AUX] = {STATE_WORD(vmx.msrs[VCPU_MSR_TSC_AUX].value),
		.write = check_32_bits},
};

bool guest_has_state(uint64_t field) {
	return field < array_count(state_rows) &&
		(state_rows[field].offset || state_rows[field].read);
}

static uint64_t *state_word(struct guest *guest, const struct state_row *row) {
	return (uint64_t *)((char *)guest + row->offset);
}

bool guest_state_write(struct guest *guest, enum vcpu_state_field field, uint64_t value) {
	const struct state_row *row = &state_rows[field];

	if (row->write && !row->write(guest, value)) return false;
	if (row->offset) *state_word(guest, row) = value;
	return true;
}

uint64_t guest_state_read(struct guest *guest, enum vcpu_state_field field) {
	const struct state_row *row = &state_rows[field];

	if (row->read) return row->read(guest);
	if (row->write == take_debug) (void)take_debug(guest, 0);
	return *state_word(guest, row);
}
