// SPDX-License-Identifier: BSD-2-Clause
// The other cores of a machine are started and compared with the first, and each that is unfit is
// left out by name.
#include "../check.h"
#include "machine.h"

#include <base/compiler.h>
#include <cpu/layout.h>
#include <string.h>
#include <x86/apic.h>

enum {
	INIT = COMMAND_INIT | COMMAND_ASSERT,
	STARTUP = COMMAND_STARTUP | COMMAND_ASSERT | (MACHINE_LOW_END / 4096 - 1),
	WINDOW = 6 * READING_US, // what a comparison of clocks cannot see
};

static const struct platform *platform(void) { return &machine_kernel.platform; }

static bool is_printed(const char *text) { return strstr(machine_printed, text); }

static bool is_up(uint32_t id) {
	for (unsigned i = 0; i < platform()->core_count; i++)
		if (platform()->cores[i]->start.apic_id == id)
			return id == machine_first.start.apic_id || machine_cores[id].is_idle;
	return false;
}

// It got these commands, 0 after the last.
static void check_commands(uint32_t id, const uint32_t *commands) {
	for (unsigned i = 0; i < machine_cores[id].command_count || commands[i]; i++)
		check_equal(machine_cores[id].commands[i], commands[i]);
}

static const uint32_t none[] = {0}, started[] = {INIT, STARTUP, 0},
		      started_twice[] = {INIT, STARTUP, STARTUP, 0},
		      given_up[] = {INIT, STARTUP, STARTUP, INIT, 0},
		      reset[] = {INIT, STARTUP, INIT, 0};

static void all(void) {
	machine_reset(4, 0, false);
	machine_start();
	check_equal(platform()->core_count, 4);
	check(platform()->cores[0] == &machine_first);
	check(is_printed("cores: 4 of 4") && !is_printed("cpu: another"));
	for (uint32_t id = 1; id < 4; id++) {
		const struct cpu *cpu = machine_cores[id].cpu;

		check(is_up(id));
		check(platform()->cores[id] == cpu && cpu->kernel == &machine_kernel);
		check(!cpu->is_silent && !cpu->start.refusal);
		check_commands(id, started);
		check(machine_cores[id].times[1] >= machine_cores[id].times[0] + 10000);
	}
	check(machine_cores[3].is_open);
	check(machine_low_is_kept());
	check_equal(machine_mapped, 3);
}

static void one(void) {
	machine_reset(1, 0, false);
	machine_start();
	check_equal(platform()->core_count, 1);
	check(!machine_printed[0]);
}

static void own_id(void) {
	machine_reset(4, 2, false);
	machine_start();
	check_equal(platform()->core_count, 4);
	check_commands(2, none);
	check(is_up(0) && is_up(1) && is_up(3));
}

static void option(void) {
	machine_reset(4, 0, false);
	machine_options[OPTION_CORES] = 3;
	machine_cores[1].unfit = UNFIT_SILENT;
	machine_start();
	check_equal(platform()->core_count, 3);
	check(is_up(2) && is_up(3) && is_printed("cores: 3 of 4"));
	machine_reset(4, 0, false);
	machine_options[OPTION_CORES] = 1;
	machine_start();
	check_equal(platform()->core_count, 1);
	check_commands(1, none);
}

static void many(void) {
	machine_reset(70, 0, false);
	machine_start();
	check_equal(platform()->core_count, 64);
	check(is_up(63) && is_printed("cores: 64 of 70"));
}

static void silent(void) {
	machine_reset(3, 0, false);
	machine_cores[1].unfit = UNFIT_SILENT;
	machine_start();
	check_commands(1, given_up);
	check(machine_cores[1].times[2] >= machine_cores[1].times[1] + 200);
	check(machine_cores[1].times[3] >= machine_cores[1].times[2] + 1000000);
	check(is_printed("cores: APIC id 1 left out: does not answer\n"));
	check(is_up(2) && is_printed("cores: 2 of 3"));
	check(machine_low_is_kept());
}

static void late(void) {
	machine_reset(2, 0, false);
	machine_cores[1].enters_after = 900000;
	machine_start();
	check_commands(1, started_twice);
	check(is_up(1) && machine_low_is_kept());
}

static void too_late(void) {
	machine_reset(2, 0, false);
	machine_cores[1].enters_after = 2100000;
	machine_start();
	check_commands(1, given_up);
	check(!is_up(1) && !machine_cores[1].cpu);
}

static void stuck(void) {
	machine_reset(3, 0, false);
	machine_cores[1].unfit = UNFIT_STUCK;
	machine_start();
	check_commands(1, reset);
	check(is_up(2) && is_printed("APIC id 1 left out: does not answer"));
}

// Its panic has ended it alone: the first one's would still be printed.
static void panics(void) {
	machine_reset(3, 0, false);
	machine_cores[1].unfit = UNFIT_PANIC;
	machine_start();
	check(is_up(2) && is_printed("APIC id 1 left out: does not answer"));
	check(!platform()->console.panicking);
}

static void differences(void) {
	static const struct {
		enum unfit unfit;
		const char *name;
	} rows[] = {
		{UNFIT_FEATURES, "differs in features\n"},
		{UNFIT_FEATURE_MISSING, "differs in features\n"},
		{UNFIT_MITIGATIONS, "differs in mitigations\n"},
		{UNFIT_SPEC_CTRL, "differs in mitigations\n"},
		{UNFIT_MTRRS, "differs in MTRRs\n"},
		{UNFIT_TIMER, "its timer does not work\n"},
		{UNFIT_XCR0, "differs in virtualization or XCR0\n"},
		{UNFIT_ENGINE, "differs in virtualization or XCR0\n"},
		{UNFIT_VMX, "differs in virtualization or XCR0\n"},
		{UNFIT_SVM, "differs in virtualization or XCR0\n"},
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		struct found found;

		machine_reset(3, 0, false);
		check_about(rows[i].name);
		found = platform()->found;
		machine_cores[1].unfit = rows[i].unfit;
		if (rows[i].unfit == UNFIT_MTRRS) machine_cores[1].mtrr = 0;
		machine_start();
		check(!is_up(1) && machine_cores[1].is_stopped);
		check(is_printed("cores: APIC id 1 left out: ") && is_printed(rows[i].name));
		check(is_up(2));
		check(memcmp(&found, &platform()->found, sizeof(found)) == 0);
	}
	check_about(NULL);
}

static void mtrrs(void) {
	uint64_t cr0;

	machine_reset(3, 0, false);
	machine_cores[1].mtrr = 0;
	machine_cores[1].mtrr_default = 0x806;
	cr0 = machine_cores[1].cr0;
	machine_start();
	check(is_up(1) && is_up(2));
	check_equal(machine_cores[1].mtrr, machine_cores[0].mtrr);
	check_equal(machine_cores[1].mtrr_default, machine_cores[0].mtrr_default);
	check(!machine_cores[1].mtrrs_were_written_wrong);
	check_equal(machine_cores[1].flushes, 2);
	check_equal(machine_cores[1].cr0, cr0);
	check_equal(machine_cores[1].cr4, CR4_PGE);
	check_equal(machine_cores[2].flushes, 0); // it has the right ones
}

static void microcode(void) {
	machine_reset(2, 0, false);
	machine_cores[1].microcode = 0x2b;
	machine_start();
	check(is_printed("core 1, APIC id 1, microcode 2b, TSC corrected by 0"));
}

static void tsc(void) {
	static const int64_t ahead[] = {5000, -5000, 1l << 40, -(1l << 40)};

	for (unsigned i = 0; i < array_count(ahead); i++) {
		const struct machine_core *core = &machine_cores[1];
		int64_t left;

		machine_reset(2, 0, false);
		machine_cores[1].tsc_ahead = ahead[i];
		machine_cores[1].tsc_adjust = 77;
		machine_start();
		check(is_up(1) && !is_printed("TSC corrected by 0"));
		left = ahead[i] + (int64_t)core->tsc_adjust;
		check(left <= WINDOW && left >= -WINDOW);
	}
}

static void tsc_equal(void) {
	machine_reset(2, 0, false);
	machine_cores[1].has_tsc_adjust = false;
	machine_start();
	check(is_up(1) && is_printed("TSC corrected by 0"));
}

static void tsc_unfit(void) {
	for (unsigned i = 0; i < 4; i++) {
		machine_reset(3, 0, false);
		machine_cores[1].tsc_ahead = i % 2 ? 5000 : -5000;
		machine_cores[1].has_tsc_adjust = i / 2;
		machine_cores[1].is_tsc_fixed = true;
		machine_start();
		check(is_printed("APIC id 1 left out: its TSC cannot be made equal\n"));
		check(!is_up(1) && is_up(2));
	}
}

static void no_memory(void) {
	machine_reset(3, 0, false);
	region_remove(&machine_memory.free, (1 << 20) + sizeof(struct cpu), GIB);
	machine_start();
	check(is_up(1) && !is_up(2) && is_printed("cores: no RAM"));
	check_commands(2, none);
	machine_reset(2, 0, false);
	region_remove(&machine_memory.ram, 0, MIB);
	machine_start();
	check(is_printed("cores: no RAM") && is_printed("cores: 1 of 2"));
	check_commands(1, none);
}

// What no table needed is free, and what a core got is not.
static void memory_left(void) {
	machine_reset(2, 0, false);
	machine_kernel.platform.map.pool_next = 64 * MIB;
	machine_kernel.platform.map.pool_end = 65 * MIB;
	machine_start();
	check(region_has(&machine_memory.free, 64 * MIB, MIB));
	check(!region_has(&machine_memory.free, MIB, 1));
}

static void high_ids(void) {
	static const uint32_t ids[] = {0, 254, 255, 300, UINT32_MAX};

	for (unsigned has_x2apic = 0; has_x2apic < 2; has_x2apic++) {
		machine_reset(array_count(ids), 0, has_x2apic);
		memcpy(machine_acpi.cores, ids, sizeof(ids));
		machine_start();
		check(is_up(254));
		check(is_up(255) == has_x2apic && is_up(300) == has_x2apic);
		check(is_printed("APIC id 300 left out: has no id") == !has_x2apic);
		check(is_printed("APIC id 4294967295 left out: has no id in this mode"));
	}
}

static const struct test tests[] = {
	{"cores.all", "every core is started by INIT and SIPI, and idles", all},
	{"cores.one", "a machine with one core has nothing to say", one},
	{"cores.own", "the first core is known by its APIC id", own_id},
	{"cores.option", "cores=N stops at N that are up", option},
	{"cores.many", "64 are started, and all are counted", many},
	{"cores.silent", "a core that does not answer is left out and gets INIT", silent},
	{"cores.late", "a core that needs the second SIPI, or time, is up", late},
	{"cores.too_late", "a core that comes after the time gets INIT, and never runs", too_late},
	{"cores.stuck", "a core that stops on its way gets INIT", stuck},
	{"cores.panics", "a panic on the way is that core's alone", panics},
	{"cores.differs", "a core that differs is left out, by name", differences},
	{"cores.mtrrs", "MTRRs are made equal as the manual says", mtrrs},
	{"cores.microcode", "each core's microcode is printed", microcode},
	{"cores.tsc", "a TSC that is ahead or behind is corrected", tsc},
	{"cores.tsc.equal", "an equal one is left alone", tsc_equal},
	{"cores.tsc.unfit", "a core whose TSC cannot be corrected is left out", tsc_unfit},
	{"cores.memory", "without memory for a core none is started", no_memory},
	{"cores.memory.left", "memory of tables that is left is free", memory_left},
	{"cores.ids", "ids from 255 on are reached in x2APIC mode only, all ones never", high_ids},
};

int main(void) { return check_run(tests, array_count(tests)); }
