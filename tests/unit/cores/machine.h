// SPDX-License-Identifier: BSD-2-Clause
// A machine whose cores take turns: a core runs until it waits. Time is a counter that each reading
// advances, a tick a microsecond.
#pragma once

#include <abi/object.h>
#include <cpu/acpi.h>
#include <entry/cores.h>
#include <kernel.h>
#include <stddef.h>

enum {
	MACHINE_COMMANDS = 8,
	MACHINE_IDS = 512, // APIC ids
	MACHINE_LOW_END = 0x9f000, // of RAM below 640 KiB
	READING_US = 10, // what a reading of the time takes
};

// What can be wrong with a core.
enum unfit {
	UNFIT_NONE,
	UNFIT_SILENT,
	UNFIT_STUCK, // it enters and goes no further
	UNFIT_PANIC,
	UNFIT_FEATURES,
	UNFIT_FEATURE_MISSING,
	UNFIT_MITIGATIONS,
	UNFIT_SPEC_CTRL,
	UNFIT_MTRRS, // its MTRRs are others, and cannot be written
	UNFIT_TIMER,
	UNFIT_XCR0,
	UNFIT_ENGINE,
	UNFIT_VMX,
	UNFIT_SVM,
};

struct machine_core {
	enum unfit unfit;
	uint64_t enters_after; // us
	int64_t tsc_ahead; // of the first core's
	bool has_tsc_adjust, is_tsc_fixed; // the register is there; and has no effect
	uint64_t mtrr; // first variable one
	uint32_t microcode;

	// What came of it.
	unsigned command_count;
	uint32_t commands[MACHINE_COMMANDS];
	uint64_t times[MACHINE_COMMANDS];
	uint64_t tsc_adjust, mtrr_default;
	bool is_idle, is_stopped, mtrrs_were_written_wrong;
	bool is_open; // it takes interrupts, by the lock: it knew by then that it has peers
	unsigned flushes;
	struct cpu *cpu;
	uint64_t cr0, cr4;
};

extern struct machine_core machine_cores[MACHINE_IDS]; // by APIC id
extern struct acpi_facts machine_acpi;
extern struct boot_memory machine_memory;
extern unsigned machine_options[OPTIONS];
extern struct kernel machine_kernel;
extern struct cpu machine_first;
extern char machine_printed[16384];
extern unsigned machine_mapped; // cores whose state was mapped

// Cores with APIC ids from 0 on; the first core has this id.
void machine_reset(unsigned cores, uint32_t first_id, bool has_x2apic);

// The last core goes on to its idle loop.
void machine_start(void);

// Whether the RAM below 640 KiB is as it was.
bool machine_low_is_kept(void);

// Of the sanitizers, which not every compiler has a header for.
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
