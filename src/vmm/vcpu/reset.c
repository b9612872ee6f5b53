// SPDX-License-Identifier: BSD-2-Clause
// The vCPU's state at the 64-bit entry point of a guest kernel: every field, so that a guest that
// resets itself leaves nothing behind.
#include <vmm/vcpu/vcpu.h>

#include <abi/vcpu.h>

#include <base/compiler.h>
#include <base/memory.h>

enum segment_access {
	ACCESS_CODE_64 = 0xa09b, // present, execute/read, accessed, long, 4 KiB granular
	ACCESS_DATA = 0xc093, // present, read/write, accessed, 32-bit, 4 KiB granular
	ACCESS_TSS_BUSY = 0x8b,
	ACCESS_UNUSABLE = 1 << 16,
};

enum {
	PRIMARY_WANTED = PRIMARY_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_MWAIT_EXITING |
		PRIMARY_MONITOR_EXITING | PRIMARY_RDPMC_EXITING | PRIMARY_CR8_LOAD_EXITING |
		PRIMARY_CR8_STORE_EXITING,
	SECONDARY_WANTED = SECONDARY_EPT | SECONDARY_VPID | SECONDARY_RDTSCP |
		SECONDARY_UNRESTRICTED_GUEST | SECONDARY_INVPCID | SECONDARY_WBINVD_EXITING,
	ENTRY_WANTED = ENTRY_LOAD_DEBUG | ENTRY_LONG_MODE | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
	// Without the last two a guest could make the CPU raise them for ever inside microcode,
	// where no interrupt reaches the host.
	EXCEPTIONS_WANTED = 1 << EXCEPTION_MACHINE_CHECK | 1 << EXCEPTION_ALIGNMENT |
		1 << EXCEPTION_DEBUG,
};

struct field_value {
	enum vmcs_field field;
	uint64_t value;
};

struct state_value {
	enum vcpu_state_field field;
	uint64_t value;
};

static const struct field_value constant_fields[] = {
	{VMCS_SECONDARY_CONTROLS, SECONDARY_WANTED},
	{VMCS_ENTRY_CONTROLS, ENTRY_WANTED},
	{VMCS_EXCEPTION_BITMAP, EXCEPTIONS_WANTED},
	{VMCS_GUEST_CS_BASE, 0},
	{VMCS_GUEST_CS_LIMIT, UINT32_MAX},
	{VMCS_GUEST_CS_ACCESS, ACCESS_CODE_64},
	{VMCS_GUEST_SS_BASE, 0},
	{VMCS_GUEST_SS_LIMIT, UINT32_MAX},
	{VMCS_GUEST_SS_ACCESS, ACCESS_DATA},
	{VMCS_GUEST_DS_BASE, 0},
	{VMCS_GUEST_DS_LIMIT, UINT32_MAX},
	{VMCS_GUEST_DS_ACCESS, ACCESS_DATA},
	{VMCS_GUEST_ES_BASE, 0},
	{VMCS_GUEST_ES_LIMIT, UINT32_MAX},
	{VMCS_GUEST_ES_ACCESS, ACCESS_DATA},
	{VMCS_GUEST_FS_SELECTOR, 0},
	{VMCS_GUEST_FS_BASE, 0},
	{VMCS_GUEST_FS_LIMIT, UINT32_MAX},
	{VMCS_GUEST_FS_ACCESS, ACCESS_UNUSABLE},
	{VMCS_GUEST_GS_SELECTOR, 0},
	{VMCS_GUEST_GS_BASE, 0},
	{VMCS_GUEST_GS_LIMIT, UINT32_MAX},
	{VMCS_GUEST_GS_ACCESS, ACCESS_UNUSABLE},
	{VMCS_GUEST_LDTR_SELECTOR, 0},
	{VMCS_GUEST_LDTR_BASE, 0},
	{VMCS_GUEST_LDTR_LIMIT, 0},
	{VMCS_GUEST_LDTR_ACCESS, ACCESS_UNUSABLE},
	{VMCS_GUEST_TR_SELECTOR, 0},
	{VMCS_GUEST_TR_BASE, 0},
	{VMCS_GUEST_TR_LIMIT, 0x67},
	{VMCS_GUEST_TR_ACCESS, ACCESS_TSS_BUSY},
	{VMCS_GUEST_IDTR_BASE, 0},
	{VMCS_GUEST_IDTR_LIMIT, 0},
	{VMCS_GUEST_INTERRUPTIBILITY, 0},
	{VMCS_GUEST_ACTIVITY, 0},
	{VMCS_GUEST_SMBASE, 0},
	{VMCS_GUEST_SYSENTER_CS, 0},
	{VMCS_GUEST_SYSENTER_ESP, 0},
	{VMCS_GUEST_SYSENTER_EIP, 0},
	{VMCS_GUEST_DEBUGCTL, 0},
	{VMCS_GUEST_PAT, PAT_RESET},
	{VMCS_GUEST_EFER, EFER_LME | EFER_LMA},
	{VMCS_GUEST_DR7, 0x400},
	{VMCS_GUEST_RSP, 0},
	{VMCS_GUEST_RFLAGS, RFLAGS_FIXED},
	{VMCS_GUEST_PENDING_DEBUG, 0},
	{VMCS_CR0_MASK, CR0_NE | CR0_CD | CR0_NW},
	{VMCS_CR0_SHADOW, CR0_PE | CR0_ET | CR0_NE | CR0_PG},
	{VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE | CR0_PG},
	{VMCS_CR4_SHADOW, CR4_PAE},
	// MCE stays on behind the guest's back: without it a machine check would shut it down.
	{VMCS_GUEST_CR4, CR4_PAE | CR4_MCE | CR4_VMXE},
};

static const struct state_value constant_state[] = {
	{VCPU_STATE_CR2, 0},
	{VCPU_STATE_DR0, 0},
	{VCPU_STATE_DR1, 0},
	{VCPU_STATE_DR2, 0},
	{VCPU_STATE_DR3, 0},
	{VCPU_STATE_DR6, 0xffff0ff0},
	{VCPU_STATE_XCR0, XCR0_X87},
	{VCPU_STATE_STAR, 0},
	{VCPU_STATE_LSTAR, 0},
	{VCPU_STATE_CSTAR, 0},
	{VCPU_STATE_FMASK, 0},
	{VCPU_STATE_KERNEL_GS_BASE, 0},
	{VCPU_STATE_TSC_AUX, 0},
};

// MSRs that are the vCPU's own state: the guest reaches them without an exit.
static const uint32_t direct_msrs[] = {
	MSR_STAR,
	MSR_LSTAR,
	MSR_CSTAR,
	MSR_FMASK,
	MSR_KERNEL_GS_BASE,
	MSR_TSC_AUX,
	MSR_FS_BASE,
	MSR_GS_BASE,
	MSR_SYSENTER_CS,
	MSR_SYSENTER_ESP,
	MSR_SYSENTER_EIP,
	MSR_PAT,
};

static void write_entry(const struct vcpu_entry *entry) {
	const struct field_value fields[] = {
		{VMCS_GUEST_CS_SELECTOR, entry->code_selector},
		{VMCS_GUEST_SS_SELECTOR, entry->data_selector},
		{VMCS_GUEST_DS_SELECTOR, entry->data_selector},
		{VMCS_GUEST_ES_SELECTOR, entry->data_selector},
		{VMCS_GUEST_GDTR_BASE, entry->gdt_base},
		{VMCS_GUEST_GDTR_LIMIT, entry->gdt_limit},
		{VMCS_GUEST_CR3, entry->cr3},
		{VMCS_CR4_MASK, ~(uint64_t)entry->cr4_allowed | CR4_MCE},
	};
	for (unsigned i = 0; i < array_count(fields); i++)
		host_vmcs_write(fields[i].field, fields[i].value);
}

bool vcpu_reset(struct vcpu *vcpu, const struct vcpu_entry *entry, const char **problem) {
	for (unsigned i = 0; i < array_count(constant_fields); i++)
		host_vmcs_write(constant_fields[i].field, constant_fields[i].value);
	for (unsigned i = 0; i < array_count(constant_state); i++)
		host_state_write(constant_state[i].field, constant_state[i].value);
	write_entry(entry);
	if (!(host_vmcs_read(VMCS_SECONDARY_CONTROLS) & SECONDARY_UNRESTRICTED_GUEST)) {
		*problem = "the CPU has no unrestricted guest mode";
		return false;
	}
	if ((host_vmcs_read(VMCS_ENTRY_CONTROLS) & ENTRY_WANTED) != ENTRY_WANTED) {
		*problem = "the CPU cannot load EFER and PAT at VM entry";
		return false;
	}
	for (unsigned i = 0; i < array_count(direct_msrs); i++)
		if (!host_msr_direct(direct_msrs[i])) {
			*problem = "the kernel does not switch the guest's system-call MSRs";
			return false;
		}
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->rip = entry->rip;
	vcpu->rflags = RFLAGS_FIXED;
	vcpu->registers[X86_RSI] = entry->rsi;
	vcpu->primary = PRIMARY_WANTED;
	vcpu->known = VCPU_KNOWS_FLAGS | VCPU_KNOWS_RSP;
	vcpu->changed = VCPU_CHANGED_REGISTERS | VCPU_CHANGED_RIP | VCPU_CHANGED_PRIMARY |
		VCPU_CHANGED_EVENT;
	vcpu->run = VCPU_RUNNING;
	vcpu_commit(vcpu);
	return true;
}
