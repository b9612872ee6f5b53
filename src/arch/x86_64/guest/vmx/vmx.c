// SPDX-License-Identifier: BSD-2-Clause
// VMX operation: capabilities as (must, may) pairs, VMXON, invalidation.

#include <guest/vmx/internal.h>

// Four levels, write-back tables, 2 MiB pages, INVEPT, INVEPT of one root.
#define EPT_REQUIRED \
	(VMX_EPT_FOUR_LEVELS | VMX_EPT_WRITE_BACK | VMX_EPT_LARGE_PAGES | VMX_INVEPT | \
		VMX_INVEPT_SINGLE)
#define EPT_POINTER (EPT_POINTER_FOUR_LEVELS | EPT_POINTER_WRITE_BACK)

#define VPID_WANTED (VMX_INVVPID | VMX_INVVPID_SINGLE | VMX_INVVPID_ALL)

static struct found *found(void) { return &this_cpu()->platform->found; }

// Capability MSRs; the bits without which there are no virtual CPUs, those of them that the kernel
// forces, and the bits it offers of what a CPU may have besides: what needs pointers to host
// memory, or state that is not switched, is left out (docs/abi-extensions.md).
static const struct control_row {
	uint32_t msr, true_msr;
	const char *name; // of what is required
	uint32_t forced, required, offered;
} control_rows[] = {
	[VMX_PIN] = {MSR_VMX_PIN, MSR_VMX_TRUE_PIN,
		"external-interrupt exiting, NMI exiting and virtual NMIs",
		.forced = PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI, .offered = PIN_TIMER},
	// Without CR8 exiting MOV CR8 in the guest would change the task priority of the host's
	// local APIC.
	[VMX_PRIMARY] = {MSR_VMX_PRIMARY, MSR_VMX_TRUE_PRIMARY,
		"secondary controls, I/O and MSR bitmaps, CR8 exiting and TSC offsetting",
		.forced = PRIMARY_SECONDARY | PRIMARY_IO_BITMAPS | PRIMARY_MSR_BITMAPS |
			PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE,
		.required = PRIMARY_TSC_OFFSETTING,
		.offered = ~(PRIMARY_TPR_SHADOW | PRIMARY_TERTIARY)},
	[VMX_SECONDARY] = {MSR_VMX_SECONDARY, MSR_VMX_SECONDARY, "EPT", .forced = SECONDARY_EPT,
		.offered = SECONDARY_DESCRIPTOR_TABLE | SECONDARY_RDTSCP | SECONDARY_VPID |
			SECONDARY_WBINVD | SECONDARY_UNRESTRICTED | SECONDARY_PAUSE_LOOP |
			SECONDARY_RDRAND | SECONDARY_INVPCID | SECONDARY_RDSEED | SECONDARY_XSAVES},
	[VMX_EXIT] = {MSR_VMX_EXIT, MSR_VMX_TRUE_EXIT,
		"64-bit host, interrupt acknowledgement, and debug controls, PAT and EFER on exit",
		.forced = EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_SAVE_PAT |
			EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER,
		.offered = EXIT_LOAD_PERF | EXIT_SAVE_TIMER},
	[VMX_ENTRY] = {MSR_VMX_ENTRY, MSR_VMX_TRUE_ENTRY, "64-bit guests and loading EFER on entry",
		.required = ENTRY_GUEST_64 | ENTRY_LOAD_EFER,
		.offered = ENTRY_LOAD_DEBUG | ENTRY_LOAD_PERF | ENTRY_LOAD_PAT},
};

// CR4 bits whose effect the kernel switches or confines. The others (protection keys, CET, user
// interrupts, five-level paging, SMX, ...) come with state that would leak between guests.
#define CR4_OFFERED \
	(0x7fful | CR4_UMIP | CR4_VMXE | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | \
		CR4_SMAP)

// The MSR of the secondary controls exists only if the primary ones have them, and that of EPT only
// if the secondary ones do: what is missing ends the search.
static bool read_controls(void) {
	bool has_true = msr_read(MSR_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;

	for (unsigned i = VMX_PIN; i < array_count(control_rows); i++) {
		const struct control_row *row = &control_rows[i];
		uint64_t range = msr_read(has_true ? row->true_msr : row->msr);
		uint32_t must = (uint32_t)range | row->forced, may = (uint32_t)(range >> 32);
		uint32_t needed = row->forced | row->required;

		if (needed & ~may) return guest_refuse(row->name);
		found()->words[i] = (struct word_range){
			must, (may & (row->offered | needed)) | must};
	}
	if ((msr_read(MSR_VMX_EPT_VPID) & EPT_REQUIRED) != EPT_REQUIRED)
		return guest_refuse("four-level write-back EPT with 2 MiB pages and INVEPT");
	return true;
}

// Controls that are forced only where the CPU has them, and pairs that go together.
static void settle_optional(void) {
	struct word_range *secondary = &found()->words[VMX_SECONDARY];
	struct word_range *exit = &found()->words[VMX_EXIT];

	if ((msr_read(MSR_VMX_EPT_VPID) & VPID_WANTED) != VPID_WANTED)
		secondary->may &= ~(uint64_t)SECONDARY_VPID;
	// A guest would hold interrupts back for as long as it takes to write the caches back.
	secondary->must |= secondary->may & (SECONDARY_VPID | SECONDARY_WBINVD);

	exit->must |= exit->may & EXIT_LOAD_PERF;
	if (!(exit->may & EXIT_LOAD_PERF))
		found()->words[VMX_ENTRY].may &= ~(uint64_t)ENTRY_LOAD_PERF;

	found()->timer_rate = msr_read(MSR_VMX_MISC) & 0x1f;
	if (!vmx_has_timer()) exit->may &= ~(uint64_t)EXIT_SAVE_TIMER;

	found()->offered = (uint32_t)found()->words[VMX_PRIMARY].may | secondary->may << 32;
	if (vmx_has_timer()) found()->offered |= VCPU_OFFERS_TIMER;
	if (found()->words[VMX_ENTRY].may & ENTRY_LOAD_PAT) found()->offered |= VCPU_OFFERS_PAT;
}

// The firmware's word on VMX (SDM 3C 24.7): an open lock is closed with VMX allowed.
static bool unlock(void) {
	uint64_t control = msr_read(MSR_FEATURE_CONTROL);

	if (!(control & FEATURE_CONTROL_LOCKED)) {
		control |= FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX;
		msr_write(MSR_FEATURE_CONTROL, control);
	}
	return control & FEATURE_CONTROL_VMX;
}

static bool is_unrestricted(void) {
	return found()->words[VMX_SECONDARY].may & SECONDARY_UNRESTRICTED;
}

// Those of guests, and what no guest may change by itself, because VM entry and exit do not switch
// what it governs. They leave the caching bits of CR0 as they find them (SDM 3C 27.3.2.1, 28.5.1):
// a guest that set CD would take the host's cache away. Without MCE a machine check shuts the CPU
// down (SDM 3A 6.15, vector 18).
static void set_control_registers(struct word_range cr0, struct word_range cr4) {
	if (is_unrestricted()) cr0.must &= ~(CR0_PE | CR0_PG);
	found()->words[VMX_CR0] = (struct word_range){cr0.must, cr0.may & UINT32_MAX};
	found()->words[VMX_CR4] = (struct word_range){cr4.must | CR4_MCE, cr4.may & CR4_OFFERED};
	found()->words[VMX_CR0_MASK] = (struct word_range){CR0_CD | CR0_NW, UINT64_MAX};
	found()->words[VMX_CR4_MASK] = (struct word_range){
		CR4_MCE | (cr4.may & ~CR4_OFFERED), UINT64_MAX};
}

static bool enter_vmx(void) {
	physical_t region = physical_of_image(this_cpu()->engine_page);
	struct word_range fixed0 = {msr_read(MSR_VMX_CR0_FIXED0), msr_read(MSR_VMX_CR0_FIXED1)};
	struct word_range fixed4 = {msr_read(MSR_VMX_CR4_FIXED0), msr_read(MSR_VMX_CR4_FIXED1)};
	uint64_t cr0 = cr0_read() | fixed0.must, cr4 = cr4_read() | fixed4.must;
	bool succeeded;

	if (cr0 & ~fixed0.may || cr4 & ~fixed4.may)
		return guest_refuse("CR0 and CR4 of this kernel in VMX operation");
	set_control_registers(fixed0, fixed4);
	this_cpu()->engine_page[0] = (uint32_t)(msr_read(MSR_VMX_BASIC) & VMX_BASIC_REVISION);
	cr0_write(cr0);
	cr4_write(cr4);
	asm volatile("vmxon %1" : "=@cca"(succeeded) : "m"(region.value) : "memory");
	return succeeded || guest_refuse("working VMXON");
}

bool vmx_init(void) {
	if (!feature_has(FEATURE_VMX)) return guest_refuse("VT-x in this CPU");
	if (!unlock()) return guest_refuse("VT-x, locked off by the firmware");
	if (!read_controls()) return false;
	settle_optional();
	if (!enter_vmx()) return false;
	this_cpu()->last_tag = 1 << 16;
	vmx_invalidate_vpid(0);
	print("vmx: on%s%s%s\n", is_unrestricted() ? ", unrestricted guest" : "",
		vmx_has_vpid() ? ", VPID" : "", vmx_has_timer() ? ", preemption timer" : "");
	return true;
}

bool vmx_has_timer(void) { return found()->words[VMX_PIN].may & PIN_TIMER; }

bool vmx_has_vpid(void) { return found()->words[VMX_SECONDARY].may & SECONDARY_VPID; }

uint64_t vmx_ept_pointer(physical_t root) { return root.value | EPT_POINTER; }

void vmx_invalidate_vpid(uint16_t vpid) {
	const uint64_t descriptor[2] = {vpid, 0};
	uint64_t kind = vpid ? INVALIDATE_SINGLE : INVALIDATE_ALL;

	if (!vmx_has_vpid()) return;
	asm volatile("invvpid %0, %1" : : "m"(descriptor), "r"(kind) : "cc", "memory");
}

void vmx_invalidate_guest(physical_t root, unsigned, uint64_t) {
	const uint64_t descriptor[2] = {vmx_ept_pointer(root), 0};

	if (!this_cpu()->engine) return;
	asm volatile("invept %0, %1"
		     :
		     : "m"(descriptor), "r"((uint64_t)INVALIDATE_SINGLE)
		     : "cc", "memory");
}

// Host state: what a VM exit loads.

void vmcs_write_host(void) {
	// ES, DS, FS and GS, FS base, and what SYSENTER would use: the kernel has no use for them,
	// and bases_load loads a program's before it runs.
	static const enum vmcs_field zero[] = {VMCS_HOST_ES_SELECTOR, VMCS_HOST_DS_SELECTOR,
		VMCS_HOST_FS_SELECTOR, VMCS_HOST_GS_SELECTOR, VMCS_HOST_FS_BASE,
		VMCS_HOST_SYSENTER_CS, VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_EIP};
	const struct cpu *cpu = this_cpu();
	const struct {
		enum vmcs_field field;
		uint64_t value;
	} fields[] = {
		{VMCS_HOST_CS_SELECTOR, SELECTOR_KERNEL_CODE},
		{VMCS_HOST_SS_SELECTOR, SELECTOR_KERNEL_DATA},
		{VMCS_HOST_TR_SELECTOR, SELECTOR_TSS},
		{VMCS_HOST_PAT, msr_read(MSR_PAT)},
		{VMCS_HOST_EFER, msr_read(MSR_EFER)},
		{VMCS_HOST_CR0, cr0_read() & ~CR0_TS},
		{VMCS_HOST_CR4, cr4_read()},
		{VMCS_HOST_GS_BASE, (uint64_t)cpu},
		{VMCS_HOST_TR_BASE, (uint64_t)&cpu->tss},
		{VMCS_HOST_GDTR_BASE, (uint64_t)cpu->gdt},
		{VMCS_HOST_IDTR_BASE, (uint64_t)cpu->idt},
		{VMCS_HOST_RSP, cpu->kernel_stack},
	};

	for (unsigned i = 0; i < array_count(zero); i++)
		vmcs_write(zero[i], 0);
	for (unsigned i = 0; i < array_count(fields); i++)
		vmcs_write(fields[i].field, fields[i].value);
	if (word_apply(VMX_EXIT, 0) & EXIT_LOAD_PERF)
		vmcs_write(VMCS_HOST_PERF_GLOBAL_CTRL, 0); // no counter runs
}
