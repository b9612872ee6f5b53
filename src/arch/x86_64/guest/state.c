// SPDX-License-Identifier: BSD-2-Clause
// What guests of every engine have: extended registers, breakpoints, and MSRs they may touch.
#include <guest/engine.h>

#include <base/xcr0.h>
#include <cpu/lock.h>
#include <cpu/platform.h>
#include <x86/cpuid.h>
#include <x86/msr.h>

enum { MSR_READ_WRITE = VCPU_MSR_READ | VCPU_MSR_WRITE };

// Initial access: VCPU-21.
const struct guest_msr_row guest_msr_rows[GUEST_MSRS] = {
	[GUEST_MSR_STAR] = {MSR_STAR, 0},
	[GUEST_MSR_LSTAR] = {MSR_LSTAR, 0},
	[GUEST_MSR_CSTAR] = {MSR_CSTAR, 0},
	[GUEST_MSR_FMASK] = {MSR_FMASK, 0},
	[GUEST_MSR_KERNEL_GS_BASE] = {MSR_KERNEL_GS_BASE, MSR_READ_WRITE},
	[GUEST_MSR_TSC_AUX] = {MSR_TSC_AUX, 0},
	[GUEST_MSR_SPEC_CTRL] = {MSR_SPEC_CTRL, 0},
	{MSR_FS_BASE, MSR_READ_WRITE},
	{MSR_GS_BASE, MSR_READ_WRITE},
	{MSR_SYSENTER_CS, MSR_READ_WRITE},
	{MSR_SYSENTER_ESP, MSR_READ_WRITE},
	{MSR_SYSENTER_EIP, MSR_READ_WRITE},
	{MSR_PAT, 0},
	{MSR_PRED_CMD, 0},
	{MSR_EFER, 0},
};

bool guest_refuse(const char *missing) {
	return refuse("%s: off: no %s\n", feature_has(FEATURE_SVM) ? "svm" : "vmx", missing);
}

void guest_create(struct guest *guest, void *control, const void *io_bitmap) {
	fpu_reset(&guest->fpu, GUEST_FPU_AREA, fpu_native_xcr0());
	guest->xcr0 = XCR0_X87;
	guest->xcr0_offered = fpu_guest_xcr0(GUEST_FPU_AREA);
	guest->registers = guest->own_registers;
	for (unsigned i = 0; i < GUEST_MSRS; i++)
		guest->msr_access[i] = guest_msr_rows[i].access;
	guest->cpu = this_cpu();
	guest_engine()->create(guest, control, io_bitmap);
}

static void unload(void *argument) {
	struct guest *guest = argument;
	struct cpu *cpu = this_cpu();

	cpu->engine->unload(guest);
	guest_debug_take(guest);
	if (cpu->msr_map_owner == guest) cpu->msr_map_owner = NULL;
	if (cpu->guest == guest) cpu->guest = NULL;
	cpu->guest_prepared = NULL;
	fpu_take(&guest->fpu);
	guest->cpu = NULL;
}

void guest_unload(struct guest *guest) {
	if (guest->cpu) cores_call(BIT(guest->cpu->number), unload, guest);
}

void guest_load(struct guest *guest) {
	if (unlikely(guest->cpu != this_cpu())) {
		guest_unload(guest);
		guest->cpu = this_cpu();
		guest_engine()->arrive(guest);
	}
	guest_engine()->load(guest);
}

// What was ever enabled stays saved: it is still in the registers when the guest disables it. The
// registers are loaded anew, for those of a newly saved component may be another guest's.
bool guest_xcr0_write(struct guest *guest, uint64_t *value) {
	if (!xcr0_is_valid(*value, guest->xcr0_offered)) return false;
	if (*value & ~guest->fpu.xcr0) {
		fpu_take(&guest->fpu);
		guest->fpu.xcr0 |= *value;
	}
	return true;
}

// Breakpoints

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

void guest_debug_take(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	if (cpu->debug_owner != guest) return;
	debug_save(guest);
	cpu->debug_owner = NULL;
	cpu->guest_prepared = NULL;
}

// Before a run

static void bit_write(uint8_t *map, unsigned bit, bool value) {
	map[bit / 8] = (uint8_t)((map[bit / 8] & ~(1u << bit % 8)) | (unsigned)value << bit % 8);
}

// Of each MSR one bit for reading and one for writing: set, it exits. All others stay set.
static void msr_map_fill(struct cpu *cpu, struct guest *guest) {
	const struct guest_engine *engine = cpu->engine;

	for (unsigned i = 0; i < engine->msrs; i++) {
		uint32_t msr = guest_msr_rows[i].msr;
		unsigned bit = msr % MSR_MAP_MSRS * engine->map_next;

		if (msr >= MSR_MAP_HIGH) bit += engine->map_high;
		bit_write(cpu->msr_map, bit, !(guest->msr_access[i] & VCPU_MSR_READ));
		bit += engine->map_write;
		bit_write(cpu->msr_map, bit, !(guest->msr_access[i] & VCPU_MSR_WRITE));
	}
	cpu->msr_map_owner = guest;
}

void guest_prepare(struct cpu *cpu, struct guest *guest, physical_t space) {
	if (cpu->guest != guest && cpu->mitigations & MITIGATION_BIT(IBPB))
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	cpu->guest = guest;
	cpu->guest_spec_ctrl = cpu->program_spec_ctrl | (uint32_t)guest->spec_ctrl;
	if (cpu->msr_map_owner != guest) msr_map_fill(cpu, guest);
	cpu->engine->prepare(cpu, guest, space);
	// They stay a guest's until another one runs: programs can neither read nor enable them,
	// for DR7 has nothing enabled outside guests.
	if (cpu->debug_owner != guest) {
		if (cpu->debug_owner) debug_save(cpu->debug_owner);
		debug_load(guest);
		cpu->debug_owner = guest;
	}
	if (features_switch_fast()) cpu->guest_prepared = guest;
}

// MSRs

static unsigned find_msr(uint64_t number) {
	unsigned i = 0;

	while (i < GUEST_MSRS && guest_msr_rows[i].msr != number)
		i++;
	return i;
}

uint64_t guest_msr_field(uint64_t msr) {
	unsigned i = find_msr(msr);

	return i >= GUEST_MSR_STAR && i <= GUEST_MSR_FMASK ? VCPU_FIELD_KERNEL_GS_BASE + 2 * i : 0;
}

bool guest_has_tsc_aux(void) {
	return cpuid_leaf(LEAF_EXTENDED_FEATURES, 0).edx & EXTENDED_EDX_RDTSCP;
}

// Either maker's bits.
static bool has_speculation_bit(uint32_t leaf_7_edx, uint32_t amd_8_ebx) {
	return cpuid_leaf(LEAF_STRUCTURED, 0).edx & leaf_7_edx ||
		cpuid_leaf(LEAF_ADDRESS_SIZES, 0).ebx & amd_8_ebx;
}

// By AMD-V in the control block, or where kernel entry and exit write the register anyway; by VT-x
// there, or in the lists of MSRs, behind TSC_AUX.
bool guest_has_spec_ctrl(void) {
	bool is_free = !feature_has(FEATURE_SVM) || svm_has(SVM_SPEC_CTRL) ||
		this_cpu()->mitigations & MITIGATION_BIT(IBRS_ENTRY);

	return is_free && guest_has_tsc_aux() &&
		has_speculation_bit(LEAF_7_EDX_IBRS_IBPB | LEAF_7_EDX_STIBP | LEAF_7_EDX_SSBD,
			AMD_8_EBX_IBRS | AMD_8_EBX_STIBP | AMD_8_EBX_SSBD);
}

// This CPU has it, and the guest may touch it.
static bool has_msr(unsigned number) {
	switch (number) {
	case GUEST_MSR_TSC_AUX: return guest_has_tsc_aux();
	case GUEST_MSR_SPEC_CTRL: return svm_has(SVM_SPEC_CTRL);
	case GUEST_MSR_PRED_CMD: return has_speculation_bit(LEAF_7_EDX_IBRS_IBPB, AMD_8_EBX_IBPB);
	default: return true;
	}
}

bool guest_msr_set_access(struct guest *guest, uint64_t msr, uint8_t access) {
	struct cpu *cpu = this_cpu();
	unsigned i = find_msr(msr);

	if (i >= guest_engine()->msrs || !has_msr(i)) return false;
	guest->msr_access[i] = access;
	if (cpu->msr_map_owner == guest) cpu->msr_map_owner = NULL;
	cpu->guest_prepared = NULL;
	return true;
}
