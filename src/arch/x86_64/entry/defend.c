// SPDX-License-Identifier: BSD-2-Clause
// From CPUID to the defences of this core. The ways in and out that they need are in defended.asm.
#include <entry/defend.h>

#include <base/compiler.h>
#include <base/memory.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/msr.h>
#include <cpu/segments.h>

enum {
	JUMP = 0xe9, // near, 32-bit displacement
	JUMP_SIZE = 5,
};

#define ANY_ENTRY (DEFENCE_BIT(KPTI) | DEFENCE_BIT(IBRS_ENTRY))
#define ANY_EXIT (ANY_ENTRY | DEFENCE_BIT(VERW) | DEFENCE_BIT(IBPB_SPACES))

extern char trap_stubs[], trap_syscall_entry[], trap_syscall_entry_plain[];
extern char defended_stubs[], defended_syscall_entry[], defended_syscall_entry_plain[];
extern char exception_fast[] asm("trap_common.exception");
extern const char trap_exception_slow[] asm("exception_slow");
extern char exit_sysret[] asm("way_out_user.sysret"), exit_iret[] asm("interrupt_return.iret");
extern char guest_exit[], guest_enter[];
extern const char defended_sysret[], defended_iret[], defended_guest_exit[], defended_guest_enter[];

ENTRY_DATA uint64_t defended_kernel_cr3; // written once at boot

// Places in trap.asm that give way to defended.asm if one of these defences is on. Each has more
// than JUMP_SIZE bytes before the next label, which its counterpart does itself.
static const struct {
	char *from;
	const char *to;
	uint32_t defences;
} branches[] = {
	{exit_sysret, defended_sysret, ANY_EXIT},
	{exit_iret, defended_iret, ANY_EXIT},
	{guest_exit, defended_guest_exit, DEFENCE_BIT(RSB) | DEFENCE_BIT(IBRS_ENTRY)},
	{guest_enter, defended_guest_enter,
		DEFENCE_BIT(VERW) | DEFENCE_BIT(L1D_FLUSH) | DEFENCE_BIT(IBRS_ENTRY)},
};

static enum cpu_vendor vendor_read(void) {
	static const struct {
		uint32_t ebx; // the first four letters
		enum cpu_vendor vendor;
	} names[] = {
		{0x756e6547, VENDOR_INTEL}, {0x68747541, VENDOR_AMD}, {0x6f677948, VENDOR_AMD}};
	uint32_t ebx = cpuid(0, 0).ebx;

	for (unsigned i = 0; i < array_count(names); i++)
		if (names[i].ebx == ebx) return names[i].vendor;
	return VENDOR_OTHER;
}

static struct cpu_facts facts_read(void) {
	struct cpuid signature = cpuid_leaf(1, 0);
	struct cpuid seven = cpuid_leaf(7, 0);
	uint32_t family = signature.eax >> 8 & 0xf;
	struct cpu_facts facts = {
		.vendor = vendor_read(),
		.family = family == 0xf ? family + (signature.eax >> 20 & 0xff) : family,
		.model = (signature.eax >> 4 & 0xf) | (signature.eax >> 12 & 0xf0),
		.leaf_1_ecx = signature.ecx,
		.leaf_7_ebx = seven.ebx,
		.leaf_7_edx = seven.edx,
		.leaf_7_2_edx = seven.eax >= 2 ? cpuid_leaf(7, 2).edx : 0,
		.amd_8_ebx = cpuid_leaf(0x80000008, 0).ebx,
		.amd_21_eax = cpuid_leaf(0x80000021, 0).eax,
	};

	if (seven.edx & LEAF_7_EDX_CAPABILITIES)
		(void)msr_try_read(MSR_ARCH_CAPABILITIES, &facts.capabilities);
	return facts;
}

static void print_names(uint32_t set) {
	for (unsigned i = 0; i < DEFENCE_OPTIONS; i++)
		if (set >> i & 1) print(" %s", defence_names[i]);
}

static void tell(const struct defences *defences) {
	print("defences:%s", defences->on ? "" : " none");
	print_names(defences->on);
	if (defences->on & DEFENCE_BIT(IBRS_ENTRY)) print(" (ibrs at each entry)");
	if (defences->on & DEFENCE_BIT(IBPB_SPACES)) print(" (ibpb at each switch)");
	if (defences->lacking) print("; this CPU lacks:");
	print_names(defences->lacking);
	print("\n");
}

// Makes LFENCE wait, if the CPU has the MSR that says so.
static bool lfence_serialise(void) {
	uint64_t config;

	return msr_try_read(MSR_DE_CFG, &config) &&
		msr_try_write(MSR_DE_CFG, config | DE_CFG_LFENCE_SERIALISES);
}

static void registers_write(struct defences *defences) {
	if (defences->spec_ctrl) msr_write(MSR_SPEC_CTRL, defences->spec_ctrl);
	if (defences->is_ibrs_automatic) msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AIBRSE);
	if (defences->on & DEFENCE_BIT(LFENCE) && !lfence_serialise()) {
		defences->on &= ~DEFENCE_BIT(LFENCE);
		defences->lacking |= DEFENCE_BIT(LFENCE);
	}
	// What programs' tables do not show must not be remembered while they run.
	if (defences->on & DEFENCE_BIT(KPTI)) cr4_write(cr4_read() & ~(uint64_t)CR4_PGE);
}

static void branch_off(char *from, const char *to) {
	int32_t distance = (int32_t)(to - (from + JUMP_SIZE));

	from[0] = (char)JUMP;
	memcpy(from + 1, &distance, sizeof(distance));
}

// Fast paths switch segment bases by FSGSBASE only.
static struct ways_in ways_choose(uint32_t defences, enum wish fast_paths) {
	struct ways_in ways = {
		trap_stubs, {trap_syscall_entry, trap_syscall_entry_plain}, SYSCALL_ENTRY_FAST};

	if (defences & ANY_ENTRY)
		ways = (struct ways_in){defended_stubs,
			{defended_syscall_entry, defended_syscall_entry_plain}, SYSCALL_ENTRY_FAST};
	if (!feature_has(FEATURE_FSGSBASE))
		ways.syscall[SYSCALL_ENTRY_FAST] = ways.syscall[SYSCALL_ENTRY_PLAIN];
	if (fast_paths == WISH_OFF || !feature_has(FEATURE_FSGSBASE)) {
		ways.first = SYSCALL_ENTRY_PLAIN;
		branch_off(exception_fast, trap_exception_slow);
	}
	return ways;
}

struct ways_in defend_start(struct cpu *cpu, const struct options *options) {
	struct cpu_facts facts = facts_read();
	struct defences defences = defences_choose(&facts, options->defences);

	registers_write(&defences);
	tell(&defences);
	cpu->defences = defences.on;
	cpu->spec_ctrl = defences.spec_ctrl;
	cpu->program_spec_ctrl = defences.spec_ctrl & ~(uint32_t)SPEC_CTRL_IBRS;
	if (defences.on & DEFENCE_BIT(KPTI)) cpu->entry_stack = segments_entry_stack();
	for (unsigned i = 0; i < array_count(branches); i++)
		if (branches[i].defences & defences.on)
			branch_off(branches[i].from, branches[i].to);
	return ways_choose(defences.on, options->fast_paths);
}
