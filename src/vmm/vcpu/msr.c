// SPDX-License-Identifier: BSD-2-Clause
// Model-specific registers: the table and the few registers that do something.
#include <vmm/vcpu/msr.h>

#include <base/compiler.h>
#include <x86/cr.h>
#include <x86/msr.h>
#include <x86/svm.h>

struct msr_row {
	uint32_t first, last;
	bool (*read)(struct msr_file *file, uint32_t number, uint64_t *value);
	bool (*write)(struct msr_file *file, uint32_t number, uint64_t value);
	uint64_t value; // of a constant register
};

#define MSR_X2APIC_LAST (MSR_X2APIC + 0xff)
#define MTRR_TYPE_MASK 0xffu
#define MTRR_TYPE_FIXED_ENABLE (1u << 10)
#define MTRR_TYPE_ENABLE (1u << 11)
#define MTRR_TYPE_WRITE_BACK 6u
#define MTRR_WRITE_COMBINING (1u << 10) // supported; no variable and no fixed ranges
#define MISC_ENABLE_VALUE 0x1801u // fast strings; branch trace and PEBS unavailable
#define MICROCODE_REVISION (1ull << 32)
#define EFER_WRITABLE (EFER_SCE | EFER_LME | EFER_NXE)

static bool write_ignored(struct msr_file *, uint32_t, uint64_t) { return true; }

static bool read_tsc(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = clock_now(file->clock);
	return true;
}

static void move_tsc(struct msr_file *file, uint64_t distance) {
	file->tsc_adjust += distance;
	file->clock->offset += distance;
	lapic_timer_move(file->lapic, distance);
	vcpu_replace(file->vcpu, VCPU_GROUP_TSC)->tsc_offset = file->clock->offset;
	paravirtual_clock_update(&file->paravirtual_clock);
}

static bool write_tsc(struct msr_file *file, uint32_t, uint64_t value) {
	move_tsc(file, value - clock_now(file->clock));
	return true;
}

static bool read_tsc_adjust(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = file->tsc_adjust;
	return true;
}

static bool write_tsc_adjust(struct msr_file *file, uint32_t, uint64_t value) {
	move_tsc(file, value - file->tsc_adjust);
	return true;
}

static bool read_apic_base(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = file->lapic->base;
	return true;
}

static bool write_apic_base(struct msr_file *file, uint32_t, uint64_t value) {
	return lapic_base_write(file->lapic, value);
}

static bool read_deadline(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = lapic_deadline_read(file->lapic);
	return true;
}

static bool write_deadline(struct msr_file *file, uint32_t, uint64_t value) {
	lapic_deadline_write(file->lapic, value);
	return true;
}

static bool read_x2apic(struct msr_file *file, uint32_t number, uint64_t *value) {
	return lapic_msr_read(file->lapic, number, value);
}

static bool write_x2apic(struct msr_file *file, uint32_t number, uint64_t value) {
	return lapic_msr_write(file->lapic, number, value);
}

static bool read_mtrr_type(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = file->mtrr_default_type;
	return true;
}

static bool write_mtrr_type(struct msr_file *file, uint32_t, uint64_t value) {
	const uint64_t writable = MTRR_TYPE_MASK | MTRR_TYPE_FIXED_ENABLE | MTRR_TYPE_ENABLE;
	uint64_t type = value & MTRR_TYPE_MASK;

	// Types 2 and 3 are reserved (SDM 3A, table 12-8).
	if ((value & ~writable) || type > MTRR_TYPE_WRITE_BACK || type == 2 || type == 3)
		return false;
	file->mtrr_default_type = value;
	return true;
}

static bool read_efer(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = vcpu_view(file->vcpu, VCPU_GROUP_PAGING)->efer;
	return true;
}

static bool write_efer(struct msr_file *file, uint32_t, uint64_t value) {
	struct vcpu_state_page *page = vcpu_edit(file->vcpu, VCPU_GROUP_PAGING);

	if (value & ~(uint64_t)(EFER_WRITABLE | EFER_LMA)) return false;
	if ((page->cr0 & CR0_PG) && ((value ^ page->efer) & EFER_LME)) return false;
	// LMA is the CPU's: it follows CR0.PG, and writes to it are ignored.
	page->efer = (value & EFER_WRITABLE) | (page->efer & EFER_LMA);
	return true;
}

static bool read_spec_ctrl(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = vcpu_view(file->vcpu, VCPU_GROUP_MSRS)->spec_ctrl;
	return file->spec_ctrl_allowed;
}

static bool write_spec_ctrl(struct msr_file *file, uint32_t, uint64_t value) {
	if (!file->spec_ctrl_allowed || value & ~file->spec_ctrl_allowed) return false;
	vcpu_edit(file->vcpu, VCPU_GROUP_MSRS)->spec_ctrl = value;
	return true;
}

static bool read_debugctl(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = vcpu_view(file->vcpu, VCPU_GROUP_DEBUG_CONTROL)->debugctl;
	return true;
}

static bool write_debugctl(struct msr_file *file, uint32_t, uint64_t value) {
	if (value & ~(uint64_t)DEBUGCTL_BTF) return false;
	vcpu_edit(file->vcpu, VCPU_GROUP_DEBUG_CONTROL)->debugctl = value;
	return true;
}

static bool read_system_time(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = file->paravirtual_clock.system_time;
	return true;
}

static bool write_system_time(struct msr_file *file, uint32_t, uint64_t value) {
	return paravirtual_clock_place(&file->paravirtual_clock, value);
}

static bool read_skip(struct msr_file *file, uint32_t, uint64_t *value) {
	*value = file->lapic->skip;
	return true;
}

static bool write_skip(struct msr_file *file, uint32_t, uint64_t value) {
	return lapic_skip_write(file->lapic, value);
}

static bool write_wall_clock(struct msr_file *file, uint32_t, uint64_t value) {
	return paravirtual_clock_tell_wall(&file->paravirtual_clock, value);
}

// Without `read` the register reads `value`; without `write` writing it faults. A row with
// `absent` as its reader is known not to exist: software probes for it, so no log.
static bool absent(struct msr_file *, uint32_t, uint64_t *) { return false; }

static const struct msr_row msr_rows[] = {
	{MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, read_deadline, write_deadline, 0},
	{MSR_X2APIC, MSR_X2APIC_LAST, read_x2apic, write_x2apic, 0},
	{MSR_P5_MC_ADDRESS, MSR_P5_MC_TYPE, NULL, write_ignored, 0},
	{MSR_TSC, MSR_TSC, read_tsc, write_tsc, 0},
	{MSR_PLATFORM_ID, MSR_PLATFORM_ID, NULL, NULL, 0},
	{MSR_APIC_BASE, MSR_APIC_BASE, read_apic_base, write_apic_base, 0},
	{MSR_FEATURE_CONTROL, MSR_FEATURE_CONTROL, NULL, NULL, FEATURE_CONTROL_LOCKED}, // VMX off
	{MSR_TSC_ADJUST, MSR_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust, 0},
	{MSR_MICROCODE_UPDATE, MSR_MICROCODE_UPDATE, absent, write_ignored, 0},
	{MSR_MICROCODE, MSR_MICROCODE, NULL, write_ignored, MICROCODE_REVISION},
	{MSR_MTRR_CAPABILITY, MSR_MTRR_CAPABILITY, NULL, NULL, MTRR_WRITE_COMBINING},
	{MSR_MTRR_DEFAULT_TYPE, MSR_MTRR_DEFAULT_TYPE, read_mtrr_type, write_mtrr_type, 0},
	{MSR_MCG_CAP, MSR_MCG_CAP, NULL, NULL, 0},
	{MSR_MCG_STATUS, MSR_MCG_STATUS, NULL, write_ignored, 0},
	{MSR_MISC_ENABLE, MSR_MISC_ENABLE, NULL, write_ignored, MISC_ENABLE_VALUE},
	{MSR_DEBUGCTL, MSR_DEBUGCTL, read_debugctl, write_debugctl, 0},
	{MSR_EFER, MSR_EFER, read_efer, write_efer, 0},
	{MSR_SPEC_CTRL, MSR_SPEC_CTRL, read_spec_ctrl, write_spec_ctrl, 0},
	{0x34, 0x35, absent, NULL, 0}, // SMI count, core and thread count
	{MSR_PRED_CMD, MSR_PRED_CMD, absent, NULL, 0},
	{0x4e, 0x4f, absent, NULL, 0}, // processor inventory number
	{0xc1, 0xc8, absent, NULL, 0}, // performance counters
	{0xce, 0xce, absent, NULL, 0}, // platform information
	{0xe7, 0xe8, absent, NULL, 0}, // APERF, MPERF
	{0x10a, 0x10b, absent, NULL, 0}, // architectural capabilities, L1D flush
	{0x122, 0x123, absent, NULL, 0}, // TSX control, SRBDS control
	{0x140, 0x140, absent, NULL, 0}, // miscellaneous feature enables
	{0x150, 0x150, absent, NULL, 0}, // voltage mailbox
	{0x186, 0x18d, absent, NULL, 0}, // performance event selection
	{0x198, 0x19c, absent, NULL, 0}, // frequency and thermal
	{0x1ad, 0x1b1, absent, NULL, 0}, // turbo, energy bias, package thermal
	{0x1c8, 0x1c9, absent, NULL, 0}, // last branch record
	{0x309, 0x30b, absent, NULL, 0}, // fixed counters
	{0x345, 0x345, absent, NULL, 0}, // performance capabilities
	{0x38d, 0x390, absent, NULL, 0}, // counter control
	{0x606, 0x64f, absent, NULL, 0}, // power limits
	{0x770, 0x777, absent, NULL, 0}, // hardware P-states
	{0xda0, 0xda0, absent, NULL, 0}, // XSS
	{MSR_KVM_WALL_CLOCK, MSR_KVM_WALL_CLOCK, NULL, write_wall_clock, 0},
	{MSR_KVM_SYSTEM_TIME, MSR_KVM_SYSTEM_TIME, read_system_time, write_system_time, 0},
	{MSR_KVM_END_OF_INTERRUPT, MSR_KVM_END_OF_INTERRUPT, read_skip, write_skip, 0},
	{MSR_DE_CFG, MSR_DE_CFG, absent, NULL, 0}, // AMD's
};

// Of AMD's CPUs, before the others; the first one is the lowest. What writing them would change is
// the host's.
static const struct msr_row amd_rows[] = {
	{0xc0010000, 0xc0010007, absent, NULL, 0}, // performance counters
	{MSR_SYSCFG, MSR_SYSCFG, NULL, write_ignored, 0},
	{MSR_HWCR, MSR_HWCR, NULL, write_ignored, HWCR_TSC_AT_FULL_RATE},
	{0xc0010016, 0xc0010019, NULL, write_ignored, 0}, // I/O ranges
	{MSR_TOP_MEM, MSR_TOP_MEM, NULL, write_ignored, 0},
	{MSR_TOP_MEM2, MSR_TOP_MEM2, NULL, write_ignored, 0},
	{0xc001001f, 0xc001001f, NULL, write_ignored, 0}, // northbridge
	{0xc0010020, 0xc0010020, absent, write_ignored, 0}, // microcode update
	{0xc0010030, 0xc0010035, absent, NULL, 0}, // brand string
	{0xc0010055, 0xc0010055, NULL, write_ignored, 0}, // interrupt of the C1E state
	{0xc0010058, 0xc0010058, absent, NULL, 0}, // PCI configuration in memory
	{0xc0010061, 0xc0010073, absent, NULL, 0}, // P-states, C-states
	{MSR_VM_CR, MSR_VM_CR, NULL, write_ignored, VM_CR_LOCK | VM_CR_SVMDIS},
	{0xc0010117, 0xc0010117, absent, NULL, 0}, // host save area of AMD-V
	{0xc0010140, 0xc0010141, absent, NULL, 0}, // errata known to the system
	{0xc0010200, 0xc001020f, absent, NULL, 0}, // performance counters
	{0xc0010292, 0xc00102b4, absent, NULL, 0}, // power and performance states
	{0xc0011004, 0xc001100d, absent, NULL, 0}, // CPUID's features
	{MSR_DE_CFG, MSR_DE_CFG, NULL, write_ignored, DE_CFG_LFENCE_SERIALISES},
	{0xc0011020, 0xc001102f, NULL, write_ignored, 0}, // units of the core
};

static const struct msr_row *find_row(const struct msr_row *rows, unsigned count, uint32_t number) {
	for (unsigned i = 0; i < count; i++)
		if (number >= rows[i].first && number <= rows[i].last) return &rows[i];
	return NULL;
}

static const struct msr_row *msr_find(const struct msr_file *file, uint32_t number) {
	const struct msr_row *row = NULL;

	if (number >= amd_rows[0].first && vcpu_by_amd_v(file->vcpu))
		row = find_row(amd_rows, array_count(amd_rows), number);
	return row ? row : find_row(msr_rows, array_count(msr_rows), number);
}

void msr_reset(struct msr_file *file) {
	file->mtrr_default_type = MTRR_TYPE_ENABLE | MTRR_TYPE_WRITE_BACK;
	file->tsc_adjust = 0;
}

enum msr_result msr_read(struct msr_file *file, uint32_t number, uint64_t *value) {
	const struct msr_row *row = msr_find(file, number);

	if (!row) return MSR_UNKNOWN;
	*value = row->value;
	if (!row->read) return MSR_DONE;
	return row->read(file, number, value) ? MSR_DONE : MSR_FAULT;
}

enum msr_result msr_write(struct msr_file *file, uint32_t number, uint64_t value) {
	const struct msr_row *row = msr_find(file, number);

	if (!row) return MSR_UNKNOWN;
	if (!row->write) return MSR_FAULT;
	return row->write(file, number, value) ? MSR_DONE : MSR_FAULT;
}
