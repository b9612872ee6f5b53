// SPDX-License-Identifier: BSD-2-Clause
// MSRs of guests: the bitmap of those a guest may touch itself, and the switch of those that are
// not in the VMCS.
#include <object/vcpu.h>

#include <base/compiler.h>
#include <base/memory.h>
#include <cpu/context.h>
#include <cpu/registers.h>
#include <cpu/vmx.h>
#include <kernel/invocation.h>

enum {
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_PAT = 0x277,
	BITMAP_WRITE = 2048, // bytes from the read bits to the write bits
	BITMAP_HIGH = 1024, // from low MSRs to 0xc0000000 and up
	BITMAP_MSRS = 0x2000,
	MSR_READ_WRITE = VCPU_MSR_READ | VCPU_MSR_WRITE,
};

#define MSR_HIGH 0xc0000000u
#define MSR_TSC_AUX 0xc0000103u

enum msr_value {
	MSR_ANY,
	MSR_ADDRESS, // canonical
	MSR_32_BITS,
};

// The first VCPU_MSRS rows are enum vcpu_msr; the others live in the VMCS. Initial access:
// vtx.md 7.
static const struct {
	uint32_t msr;
	uint8_t access;
	uint8_t value; // enum msr_value
} rows[VCPU_OPENABLE_MSRS] = {
	[VCPU_MSR_STAR] = {MSR_STAR, 0, MSR_ANY},
	[VCPU_MSR_LSTAR] = {MSR_LSTAR, 0, MSR_ADDRESS},
	[VCPU_MSR_CSTAR] = {MSR_CSTAR, 0, MSR_ADDRESS},
	[VCPU_MSR_FMASK] = {MSR_FMASK, 0, MSR_32_BITS},
	[VCPU_MSR_KERNEL_GS_BASE] = {MSR_KERNEL_GS_BASE, MSR_READ_WRITE, MSR_ADDRESS},
	[VCPU_MSR_TSC_AUX] = {MSR_TSC_AUX, 0, MSR_32_BITS},
	{MSR_FS_BASE, MSR_READ_WRITE, MSR_ADDRESS},
	{MSR_GS_BASE, MSR_READ_WRITE, MSR_ADDRESS},
	{MSR_SYSENTER_CS, MSR_READ_WRITE, MSR_32_BITS},
	{MSR_SYSENTER_ESP, MSR_READ_WRITE, MSR_ADDRESS},
	{MSR_SYSENTER_EIP, MSR_READ_WRITE, MSR_ADDRESS},
	{MSR_PAT, 0, MSR_ANY},
	{MSR_EFER, 0, MSR_ANY},
};

// One a core. Rebuilt by vcpu_msr_use_bitmap for cpu->msr_bitmap_owner.
static alignas(VCPU_PAGE) uint8_t msr_bitmap[VCPU_PAGE];

// What the kernel has in these MSRs all the time; read when the first VCPU is made. KERNEL_GS_BASE
// is a program's and not here: bases_switch loads it.
static struct {
	bool is_known;
	bool has_tsc_aux;
	uint64_t values[VCPU_MSRS];
} host_msrs;

physical_t vcpu_msr_bitmap(void) { return physical_of_image(msr_bitmap); }

static bool is_switched(unsigned msr) {
	return msr != VCPU_MSR_KERNEL_GS_BASE && (msr != VCPU_MSR_TSC_AUX || host_msrs.has_tsc_aux);
}

static void read_host_msrs(void) {
	const uint32_t rdtscp = 1u << 27; // CPUID 80000001h:EDX

	host_msrs.has_tsc_aux = cpuid(0x80000000, 0).eax > 0x80000000 &&
		cpuid(0x80000001, 0).edx & rdtscp;
	for (unsigned i = 0; i < VCPU_MSRS; i++) {
		if (is_switched(i)) host_msrs.values[i] = msr_read(rows[i].msr);
	}
	host_msrs.is_known = true;
}

void vcpu_msr_init(struct vcpu *vcpu) {
	if (!host_msrs.is_known) read_host_msrs();
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++)
		vcpu->msr_access[i] = rows[i].access;
}

static void bitmap_open(uint8_t *half, uint32_t msr) {
	if (msr >= MSR_HIGH) half += BITMAP_HIGH;
	msr %= BITMAP_MSRS;
	half[msr / 8] &= (uint8_t) ~(1u << msr % 8);
}

void vcpu_msr_use_bitmap(struct vcpu *vcpu) {
	struct cpu *cpu = this_cpu();

	if (likely(cpu->msr_bitmap_owner == vcpu)) return;
	memset(msr_bitmap, 0xff, sizeof(msr_bitmap));
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++) {
		if (vcpu->msr_access[i] & VCPU_MSR_READ) bitmap_open(msr_bitmap, rows[i].msr);
		if (vcpu->msr_access[i] & VCPU_MSR_WRITE)
			bitmap_open(msr_bitmap + BITMAP_WRITE, rows[i].msr);
	}
	cpu->msr_bitmap_owner = vcpu;
}

// The caller has saved the program's bases before.
void vcpu_msr_enter(struct vcpu *vcpu) {
	for (unsigned i = 0; i < VCPU_MSRS; i++) {
		if (is_switched(i) && vcpu->msrs[i] != host_msrs.values[i])
			msr_write(rows[i].msr, vcpu->msrs[i]);
	}
	msr_write(MSR_KERNEL_GS_BASE, vcpu->msrs[VCPU_MSR_KERNEL_GS_BASE]);
}

void vcpu_msr_leave(struct vcpu *vcpu) {
	for (unsigned i = 0; i < VCPU_MSRS; i++) {
		if (!is_switched(i)) continue;
		if (vcpu->msr_access[i] & VCPU_MSR_WRITE) vcpu->msrs[i] = msr_read(rows[i].msr);
		if (vcpu->msrs[i] != host_msrs.values[i])
			msr_write(rows[i].msr, host_msrs.values[i]);
	}
	// SWAPGS changes it without any right to the MSR.
	vcpu->msrs[VCPU_MSR_KERNEL_GS_BASE] = msr_read(MSR_KERNEL_GS_BASE);
}

uint64_t vcpu_msr_clean(enum vcpu_msr msr, uint64_t value) {
	if (rows[msr].value == MSR_ADDRESS) return context_clean_address(value);
	return rows[msr].value == MSR_32_BITS ? (uint32_t)value : value;
}

// ReadMSR and WriteMSR know the four of SYSCALL.
static bool find_syscall_msr(uint64_t number, unsigned *found) {
	for (unsigned i = VCPU_MSR_STAR; i <= VCPU_MSR_FMASK; i++) {
		if (rows[i].msr == number) {
			*found = i;
			return true;
		}
	}
	return false;
}

enum error vcpu_read_msr(struct invocation *invocation) {
	const struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t number;
	unsigned msr;

	if (invocation->length < 1) return ERROR_ILLEGAL_OPERATION;
	number = invocation_word(invocation, 0);
	if (number == MSR_VMX_MISC) return invocation_return(invocation, msr_read(MSR_VMX_MISC));
	if (!find_syscall_msr(number, &msr)) return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, vcpu->msrs[msr]);
}

enum error vcpu_write_msr(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	unsigned msr;

	if (invocation->length < 2 || !find_syscall_msr(invocation_word(invocation, 0), &msr))
		return ERROR_ILLEGAL_OPERATION;
	vcpu->msrs[msr] = vcpu_msr_clean(msr, invocation_word(invocation, 1));
	return invocation_return(invocation, vcpu->msrs[msr]);
}

enum error vcpu_set_msr_access(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t number = invocation_word(invocation, 0);
	uint64_t access = invocation_word(invocation, 1);

	if (access & ~(uint64_t)MSR_READ_WRITE) return error_argument(invocation, 1);
	for (unsigned i = 0; i < VCPU_OPENABLE_MSRS; i++) {
		if (rows[i].msr != number) continue;
		if (i == VCPU_MSR_TSC_AUX && !host_msrs.has_tsc_aux) break;
		vcpu->msr_access[i] = (uint8_t)access;
		if (this_cpu()->msr_bitmap_owner == vcpu) this_cpu()->msr_bitmap_owner = NULL;
		return ERROR_NONE;
	}
	return error_argument(invocation, 0);
}
