// SPDX-License-Identifier: BSD-2-Clause
// MSRs of guests: the bitmap of those a guest may touch itself, and the lists of those that are not
// in the VMCS.
#include <guest/vmx/internal.h>

#include <base/memory.h>

enum {
	BITMAP_WRITE = 2048, // bytes from the read bits to the write bits
	BITMAP_HIGH = 1024, // from low MSRs to 0xc0000000 and up
	BITMAP_MSRS = 0x2000,
	MSR_READ_WRITE = VCPU_MSR_READ | VCPU_MSR_WRITE,
};

#define MSR_HIGH 0xc0000000u

// The first VCPU_MSRS rows are enum vcpu_msr; the others live in the VMCS. Initial access:
// VCPU-21.
static const struct {
	uint32_t msr;
	uint8_t access;
} rows[VCPU_OPENABLE_MSRS] = {
	[VCPU_MSR_STAR] = {MSR_STAR, 0},
	[VCPU_MSR_LSTAR] = {MSR_LSTAR, 0},
	[VCPU_MSR_CSTAR] = {MSR_CSTAR, 0},
	[VCPU_MSR_FMASK] = {MSR_FMASK, 0},
	[VCPU_MSR_KERNEL_GS_BASE] = {MSR_KERNEL_GS_BASE, MSR_READ_WRITE},
	[VCPU_MSR_TSC_AUX] = {MSR_TSC_AUX, 0},
	{MSR_FS_BASE, MSR_READ_WRITE},
	{MSR_GS_BASE, MSR_READ_WRITE},
	{MSR_SYSENTER_CS, MSR_READ_WRITE},
	{MSR_SYSENTER_ESP, MSR_READ_WRITE},
	{MSR_SYSENTER_EIP, MSR_READ_WRITE},
	{MSR_PAT, 0},
	{MSR_EFER, 0},
};

static bool has_tsc_aux(void) {
	const uint32_t rdtscp = 1u << 27; // CPUID 80000001h:EDX

	return cpuid(0x80000001, 0).edx & rdtscp;
}

void vmx_msr_init(struct guest *guest) {
	struct cpu *cpu = this_cpu();
	unsigned missing = has_tsc_aux() ? 0 : 1;

	// What the kernel has in these MSRs, all the time: VM exit loads it. KERNEL_GS_BASE is a
	// program's and not among them: bases_load loads it.
	for (unsigned i = 0; i < HOST_MSRS - missing; i++)
		cpu->host_msrs[i] = (struct vmx_msr_entry){.msr = rows[VCPU_MSR_STAR + i].msr,
			.value = msr_read(rows[VCPU_MSR_STAR + i].msr)};
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++)
		guest->vmx.msr_access[i] = rows[i].access;
	for (unsigned i = 0; i < VCPU_MSRS; i++)
		guest->vmx.msrs[i].msr = rows[i].msr;
	vmcs_write(VMCS_MSR_BITMAP, physical_of_image(cpu->msr_bitmap).value);
	vmcs_write(VMCS_ENTRY_MSR_LOAD, physical_of(guest->vmx.msrs).value);
	vmcs_write(VMCS_EXIT_MSR_STORE, physical_of(guest->vmx.msrs).value);
	vmcs_write(VMCS_EXIT_MSR_LOAD, physical_of_image(cpu->host_msrs).value);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, VCPU_MSRS - missing);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, VCPU_MSRS - missing);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, HOST_MSRS - missing);
}

static void bitmap_open(uint8_t *half, uint32_t msr) {
	if (msr >= MSR_HIGH) half += BITMAP_HIGH;
	msr %= BITMAP_MSRS;
	half[msr / 8] &= (uint8_t) ~(1u << msr % 8);
}

void vmx_msr_prepare(struct cpu *cpu, struct guest *guest) {
	// DebugFastPaths changes it.
	if (NACRE_DEBUG) cpu->host_msrs[VCPU_MSR_LSTAR - VCPU_MSR_STAR].value = msr_read(MSR_LSTAR);
	if (cpu->msr_bitmap_owner == guest) return;
	memset(cpu->msr_bitmap, 0xff, sizeof(cpu->msr_bitmap));
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++) {
		if (guest->vmx.msr_access[i] & VCPU_MSR_READ)
			bitmap_open(cpu->msr_bitmap, rows[i].msr);
		if (guest->vmx.msr_access[i] & VCPU_MSR_WRITE)
			bitmap_open(cpu->msr_bitmap + BITMAP_WRITE, rows[i].msr);
	}
	cpu->msr_bitmap_owner = guest;
}

static unsigned find_row(uint64_t number) {
	unsigned i = 0;

	while (i < VCPU_OPENABLE_MSRS && rows[i].msr != number)
		i++;
	return i;
}

// ReadMSR and WriteMSR know the four of SYSCALL; reading, one of VT-x besides.
bool guest_msr_read(struct guest *guest, uint64_t msr, uint64_t *value) {
	unsigned i = find_row(msr);

	if (msr == MSR_VMX_MISC) {
		*value = msr_read(MSR_VMX_MISC);
		return true;
	}
	if (i < VCPU_MSR_STAR || i > VCPU_MSR_FMASK) return false;
	*value = guest->vmx.msrs[i].value;
	return true;
}

bool guest_msr_write(struct guest *guest, uint64_t msr, uint64_t *value) {
	unsigned i = find_row(msr);

	if (i < VCPU_MSR_STAR || i > VCPU_MSR_FMASK) return false;
	if (i == VCPU_MSR_LSTAR || i == VCPU_MSR_CSTAR) *value = context_clean_address(*value);
	if (i == VCPU_MSR_FMASK) *value = (uint32_t)*value;
	guest->vmx.msrs[i].value = *value;
	return true;
}

bool guest_msr_set_access(struct guest *guest, uint64_t msr, uint8_t access) {
	struct cpu *cpu = this_cpu();
	unsigned i = find_row(msr);

	if (i == VCPU_OPENABLE_MSRS || (i == VCPU_MSR_TSC_AUX && !has_tsc_aux())) return false;
	guest->vmx.msr_access[i] = access;
	if (cpu->msr_bitmap_owner == guest) cpu->msr_bitmap_owner = NULL;
	cpu->guest_prepared = NULL;
	return true;
}
