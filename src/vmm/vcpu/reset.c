// SPDX-License-Identifier: BSD-2-Clause
// The vCPU's state at the 64-bit entry point of a guest kernel: every field, so that a guest that
// resets itself leaves nothing behind.
#include <vmm/vcpu/vcpu.h>

#include <vmm/vcpu/cpuid.h>

#include <base/compiler.h>
#include <base/memory.h>
#include <x86/cr.h>
#include <x86/msr.h>

enum segment_attributes {
	ATTRIBUTES_CODE_64 = 0x209b | VCPU_SEGMENT_PAGES, // present, execute/read, accessed, long
	ATTRIBUTES_DATA = 0x4093 | VCPU_SEGMENT_PAGES, // present, read/write, accessed, 32-bit
	ATTRIBUTES_TSS_BUSY = 0x8b,
};

#define CONTROLS_WANTED \
	(VCPU_EXITS_HLT | VCPU_EXITS_MWAIT | VCPU_EXITS_MONITOR | VCPU_EXITS_RDPMC | \
		VCPU_EXITS_WBINVD | VCPU_ALLOWS_RDTSCP | VCPU_ALLOWS_INVPCID | \
		VCPU_ALLOWS_REAL_MODE)

// What the handlers of frequent exits look at; of the others, the rest is fetched.
enum {
	SAVED_ALWAYS = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS,
	SAVED_WITH_ACCESS = VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION |
		VCPU_GROUP_PAGING | VCPU_GROUP_CODE | VCPU_GROUP_DEBUG_CONTROL,
};

static const struct {
	enum vcpu_exit_reason reason;
	uint64_t groups;
} saved_besides[] = {
	{VCPU_EXIT_EXCEPTION, VCPU_GROUP_INTERRUPTED},
	{VCPU_EXIT_CPUID, VCPU_GROUP_PAGING | VCPU_GROUP_XCR0}, // OSXSAVE, sizes of state
	{VCPU_EXIT_CONTROL_REGISTER, VCPU_GROUP_PAGING | VCPU_GROUP_CODE | VCPU_GROUP_MASKS},
	{VCPU_EXIT_IO, VCPU_GROUP_DEBUG_CONTROL},
	{VCPU_EXIT_MEMORY, SAVED_WITH_ACCESS},
	{VCPU_EXIT_MEMORY_MISCONFIGURED, VCPU_GROUP_ADDRESS},
};

// Registers that the guest reads and writes without an exit.
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

// So are these, where the guest has them and, of the first, the CPU keeps the guest's by itself.
static const uint32_t optional_msrs[] = {MSR_SPEC_CTRL, MSR_PRED_CMD};

static void choose_groups(struct vcpu_state_page *page) {
	for (unsigned i = 0; i < array_count(page->save); i++)
		page->save[i] = SAVED_ALWAYS;
	for (unsigned i = 0; i < array_count(saved_besides); i++)
		page->save[saved_besides[i].reason] |= saved_besides[i].groups;
}

static void set_segments(struct vcpu_state_page *page, const struct vcpu_entry *entry) {
	const struct vcpu_segment data = {entry->data_selector, ATTRIBUTES_DATA, UINT32_MAX, 0};
	const struct vcpu_segment none = {0, VCPU_SEGMENT_UNUSABLE, 0, 0};

	page->segments[VCPU_ES] = page->segments[VCPU_SS] = page->segments[VCPU_DS] = data;
	page->segments[VCPU_CS] = (struct vcpu_segment){
		entry->code_selector, ATTRIBUTES_CODE_64, UINT32_MAX, 0};
	page->segments[VCPU_FS] = page->segments[VCPU_GS] = page->segments[VCPU_LDTR] = none;
	page->segments[VCPU_TR] = (struct vcpu_segment){0, ATTRIBUTES_TSS_BUSY, 0x67, 0};
	page->gdtr = (struct vcpu_table){entry->gdt_base, entry->gdt_limit};
}

// All that is not set here is zero.
static void set_state(struct vcpu_state_page *page, const struct vcpu_entry *entry) {
	page->rip = entry->rip;
	page->rflags = FLAGS_FIXED;
	page->registers[X86_RSI] = entry->rsi;
	page->cr0_mask = CR0_NE | CR0_CD | CR0_NW;
	page->cr0 = page->cr0_shadow = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	page->cr3 = entry->cr3;
	// MCE stays on behind the guest's back: without it a machine check would shut it down.
	page->cr4_mask = ~entry->cr4_allowed | CR4_MCE;
	page->cr4_shadow = CR4_PAE;
	page->cr4 = CR4_PAE | CR4_MCE;
	page->efer = EFER_LME | EFER_LMA;
	page->dr6 = 0xffff0ff0;
	page->dr7 = DR7_FIXED;
	page->xcr0 = XCR0_X87;
	page->pat = PAT_RESET;
	page->controls = CONTROLS_WANTED;
	set_segments(page, entry);
}

static const char *missing(const struct vcpu *vcpu) {
	if (!(vcpu->page->controls_offered & VCPU_ALLOWS_REAL_MODE))
		return "the CPU has no unrestricted guest mode";
	if (!(vcpu->page->controls_offered & VCPU_OFFERS_PAT))
		return "the CPU cannot switch the guest's PAT";
	for (unsigned i = 0; i < array_count(direct_msrs); i++)
		if (!host_msr_direct(vcpu->number, direct_msrs[i]))
			return "the kernel does not switch the guest's system-call MSRs";
	return NULL;
}

bool vcpu_reset(struct vcpu *vcpu, const struct vcpu_entry *entry, const char **problem) {
	struct vcpu_state_page *page = vcpu->page;
	uint64_t controls = page->controls_offered, xcr0 = page->xcr0_offered;

	*problem = missing(vcpu);
	if (*problem) return false;
	for (unsigned i = 0; i < array_count(optional_msrs); i++)
		if (cpuid_msr_is_direct(entry->cpuid, optional_msrs[i]))
			(void)!host_msr_direct(vcpu->number, optional_msrs[i]);
	memset(page, 0, sizeof(*page));
	page->controls_offered = controls;
	page->xcr0_offered = xcr0;
	page->dirty = UINT64_MAX;
	choose_groups(page);
	set_state(page, entry);
	*vcpu = (struct vcpu){.number = vcpu->number, .page = page, .run = VCPU_RUNNING};
	return true;
}
