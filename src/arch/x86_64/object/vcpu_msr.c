// SPDX-License-Identifier: BSD-2-Clause
// MSRs of guests: the bitmap of those a guest may touch itself, and the lists of those that are not
// in the VMCS.
#include <object/vcpu.h>

#include <base/memory.h>
#include <cap/invocation.h>

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

// What the kernel has in these MSRs, all the time: VM exit loads it. KERNEL_GS_BASE is a program's
// and not here: bases_load loads it. TSC_AUX is the last of both lists, and may be missing.
static const uint32_t host_numbers[HOST_MSRS] = {[HOST_STAR] = MSR_STAR,
	[HOST_LSTAR] = MSR_LSTAR,
	[HOST_CSTAR] = MSR_CSTAR,
	[HOST_FMASK] = MSR_FMASK,
	[HOST_TSC_AUX] = MSR_TSC_AUX};

static bool has_tsc_aux(void) {
	const uint32_t rdtscp = 1u << 27; // CPUID 80000001h:EDX

	return cpuid(0x80000001, 0).edx & rdtscp;
}

void vcpu_msr_init(struct vcpu *vcpu) {
	struct cpu *cpu = this_cpu();
	unsigned missing = has_tsc_aux() ? 0 : 1;

	for (unsigned i = 0; i < HOST_MSRS - missing; i++)
		cpu->host_msrs[i] = (struct vmx_msr_entry){
			.msr = host_numbers[i], .value = msr_read(host_numbers[i])};
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++)
		vcpu->msr_access[i] = rows[i].access;
	for (unsigned i = 0; i < VCPU_MSRS; i++)
		vcpu->msrs[i].msr = rows[i].msr;
	vmcs_write(VMCS_MSR_BITMAP, physical_of_image(cpu->msr_bitmap).value);
	vmcs_write(VMCS_ENTRY_MSR_LOAD, physical_of(vcpu->msrs).value);
	vmcs_write(VMCS_EXIT_MSR_STORE, physical_of(vcpu->msrs).value);
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

void vcpu_msr_prepare(struct cpu *cpu, struct vcpu *vcpu) {
	// DebugFastPaths changes it.
	if (NACRE_DEBUG) cpu->host_msrs[HOST_LSTAR].value = msr_read(MSR_LSTAR);
	if (cpu->msr_bitmap_owner == vcpu) return;
	memset(cpu->msr_bitmap, 0xff, sizeof(cpu->msr_bitmap));
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++) {
		if (vcpu->msr_access[i] & VCPU_MSR_READ) bitmap_open(cpu->msr_bitmap, rows[i].msr);
		if (vcpu->msr_access[i] & VCPU_MSR_WRITE)
			bitmap_open(cpu->msr_bitmap + BITMAP_WRITE, rows[i].msr);
	}
	cpu->msr_bitmap_owner = vcpu;
}

static unsigned find_row(uint64_t number) {
	unsigned i = 0;

	while (i < VCPU_OPENABLE_MSRS && rows[i].msr != number)
		i++;
	return i;
}

// The value is in word 0 of the answer, but the answer's length is 0 (VCPU-22).
static enum error return_beyond_length(struct invocation *invocation, uint64_t value) {
	struct thread *caller = invocation->caller;

	if (caller->message_flags & MESSAGE_CALL) caller->context.words[0] = value;
	return ERROR_NONE;
}

// ReadMSR and WriteMSR know the four of SYSCALL; reading, one of VT-x besides.
enum error vcpu_read_msr(struct invocation *invocation) {
	const struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t number = invocation_word(invocation, 0);
	unsigned i = find_row(number);

	if (invocation->length < 1) return ERROR_ILLEGAL_OPERATION;
	if (number == MSR_VMX_MISC) return return_beyond_length(invocation, msr_read(MSR_VMX_MISC));
	if (i > VCPU_MSR_FMASK) return ERROR_ILLEGAL_OPERATION;
	return return_beyond_length(invocation, vcpu->msrs[i].value);
}

enum error vcpu_write_msr(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	unsigned i = find_row(invocation_word(invocation, 0));
	uint64_t value = invocation_word(invocation, 1);

	if (invocation->length < 2 || i > VCPU_MSR_FMASK) return ERROR_ILLEGAL_OPERATION;
	if (i == VCPU_MSR_LSTAR || i == VCPU_MSR_CSTAR) value = context_clean_address(value);
	if (i == VCPU_MSR_FMASK) value = (uint32_t)value;
	vcpu->msrs[i].value = value;
	return return_beyond_length(invocation, value);
}

enum error vcpu_set_msr_access(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	unsigned i = find_row(invocation_word(invocation, 0));
	uint64_t access = invocation_word(invocation, 1);
	struct cpu *cpu = this_cpu();

	if (access & ~(uint64_t)MSR_READ_WRITE) return error_argument(invocation, 1);
	if (i == VCPU_OPENABLE_MSRS || (i == VCPU_MSR_TSC_AUX && !has_tsc_aux()))
		return error_argument(invocation, 0);
	vcpu->msr_access[i] = (uint8_t)access;
	if (cpu->msr_bitmap_owner == vcpu) cpu->msr_bitmap_owner = NULL;
	cpu->guest_prepared = NULL;
	return ERROR_NONE;
}
