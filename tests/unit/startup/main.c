// SPDX-License-Identifier: BSD-2-Clause
// Nothing that firmware left switched on is on when programs run.
#include "../check.h"
#include "machine.h"

#include <base/compiler.h>
#include <cpu/apic.h>
#include <cpu/features.h>
#include <cpu/percpu.h>
#include <string.h>

enum {
	FULL_APIC = 6 << 16 | 0x15, // its version: entries up to the one for CMCI
	OLD_APIC = 3 << 16 | 0x14, // up to the one for errors
	EXTENDED_APIC = 5 << 16 | 0x10,
	LEFT = 0xfe, // in each register of the APIC: unmasked
};

static bool start(void) {
	machine_cpu = (struct cpu){};
	machine_printed[0] = '\0';
	return features_init(0);
}

static void features_hidden(void) {
	machine_reset();
	machine_cpu = (struct cpu){};
	check(features_init(1ul << FEATURE_VMX | 1ul << FEATURE_SVM));
	check(!feature_has(FEATURE_VMX) && !feature_has(FEATURE_SVM) && feature_has(FEATURE_SMAP));
}

static void registers(void) {
	machine_reset();
	check(start());
	check_equal(machine.dr7, 1 << 10);
	check_equal(machine_msr(MSR_DEBUGCTL), 0);
	check_equal(machine_msr(MSR_SYSENTER_CS), 0);
	check_equal(machine_msr(MSR_EFER), 0xd01);
	check_equal(machine.cr0, 0x80050023);
	check(machine.cr4 & CR4_SMEP && machine.cr4 & CR4_MCE && !(machine.cr4 & CR4_VMXE));
}

// Neither exists everywhere.
static void registers_lacking(void) {
	machine_reset();
	machine_msr_remove(MSR_DEBUGCTL);
	machine_msr_remove(MSR_SYSENTER_CS);
	machine_msr_remove(MSR_MISC_ENABLE);
	check(start());
	check_equal(machine.dr7, 1 << 10);
	check(feature_has(FEATURE_SMAP));
}

static void leaves_hidden(void) {
	machine_reset();
	machine_msr_set(MSR_MISC_ENABLE, MISC_ENABLE_LIMIT_CPUID | 1);
	check(start());
	check_equal(machine_msr(MSR_MISC_ENABLE), 1);
	check(feature_has(FEATURE_SMAP) && feature_has(FEATURE_XSAVEOPT));
}

// What a CPU answers to a leaf that it does not have is nothing to go by.
static void leaves_locked(void) {
	machine_reset();
	machine_msr_set(MSR_MISC_ENABLE, MISC_ENABLE_LIMIT_CPUID);
	machine_msr_lock(MSR_MISC_ENABLE);
	check(!start());
	check(strstr(machine_printed, "\"xsave of sse\", which is missing"));
	check(!feature_has(FEATURE_FSGSBASE) && !feature_has(FEATURE_XSAVEOPT));
}

static uint32_t *apic_page(uint32_t offset) { return &machine_apic[offset / 4]; }

static void apic_start(uint32_t version) {
	machine_reset();
	*apic_page(APIC_VERSION) = version;
	check(start());
	check_equal(apic_init(), 0xfee00000);
}

static void errors_taken(void) {
	machine_has_x2apic = true;
	machine_reset();
	for (uint32_t offset = 0; offset < 0x3f0; offset += 16)
		machine_msr_set(MSR_X2APIC + offset / 16, LEFT);
	machine_msr_set(MSR_X2APIC + APIC_VERSION / 16, FULL_APIC);
	machine_errors = 0x40;
	machine_errors_at_unmask = ~0u;
	check(start());
	(void)apic_init();
	check_equal(machine_msr(MSR_APIC_BASE) & 0xc00, 0xc00);
	check_equal(machine_errors_at_unmask, 0);
	check_equal(apic_take_errors(), 0);
	machine_errors = 0x20;
	check_equal(apic_take_errors(), 0x20);
	check(machine_msr(MSR_X2APIC + APIC_CMCI / 16) & MACHINE_LVT_MASKED);
	check(machine_msr(MSR_X2APIC + APIC_THERMAL / 16) & MACHINE_LVT_MASKED);
	check(machine_msr(MSR_X2APIC + APIC_COUNTERS / 16) & MACHINE_LVT_MASKED);
	machine_has_x2apic = false;
}

static void sources_masked(void) {
	apic_start(FULL_APIC);
	check(*apic_page(APIC_CMCI) & MACHINE_LVT_MASKED);
	check(*apic_page(APIC_THERMAL) & MACHINE_LVT_MASKED);
	check(*apic_page(APIC_COUNTERS) & MACHINE_LVT_MASKED);
	check(*apic_page(APIC_LINT0) & MACHINE_LVT_MASKED);
	check(!(*apic_page(APIC_ERROR) & MACHINE_LVT_MASKED));
	check_equal(*apic_page(APIC_EXTENDED_LVT), LEFT);
}

// To touch an entry that is not there is an error of its own.
static void sources_lacking(void) {
	apic_start(OLD_APIC);
	check_equal(*apic_page(APIC_CMCI), LEFT);
	check_equal(*apic_page(APIC_THERMAL), LEFT);
	check_equal(*apic_page(APIC_COUNTERS), LEFT);
	apic_start(EXTENDED_APIC);
	check_equal(*apic_page(APIC_CMCI), LEFT);
	check(*apic_page(APIC_THERMAL) & MACHINE_LVT_MASKED);
}

static void sources_extended(void) {
	machine_reset();
	*apic_page(APIC_VERSION) = 1u << 31 | EXTENDED_APIC;
	check(start());
	(void)apic_init();
	for (uint32_t i = 0; i < 3; i++)
		check(*apic_page(APIC_EXTENDED_LVT + 16 * i) & MACHINE_LVT_MASKED);
	check_equal(*apic_page(APIC_EXTENDED_LVT + 48), LEFT);
}

enum { COMMAND = 0x300, COMMAND_TARGET = 0x310, INIT = 0x4500 };

static void send_page(void) {
	apic_start(FULL_APIC);
	*apic_page(COMMAND) = 0;
	apic_send(200, INIT);
	check_equal(*apic_page(COMMAND_TARGET), 200u << 24);
	check_equal(*apic_page(COMMAND), INIT);
}

// A command that is still pending would be lost.
static void send_pending(void) {
	apic_start(FULL_APIC);
	*apic_page(COMMAND_TARGET) = 0;
	*apic_page(COMMAND) = 1 << 12;
	machine_waits = 0;
	apic_send(1, INIT);
	check_equal(machine_waits, 3);
	check_equal(*apic_page(COMMAND), INIT);
}

// Switched off by an option; but it stays where firmware has switched it on, for that may be
// locked.
static void x2apic_hidden(void) {
	for (uint64_t on = 0; on < 2; on++) {
		machine_has_x2apic = true;
		machine_reset();
		machine_cpu = (struct cpu){};
		check(features_init(1ul << FEATURE_X2APIC));
		machine_msr_set(MSR_APIC_BASE, 0xfee00000 | on << 10);
		for (uint32_t offset = 0; offset < 0x3f0; offset += 16)
			machine_msr_set(MSR_X2APIC + offset / 16, LEFT);
		machine_msr_set(MSR_X2APIC + APIC_VERSION / 16, FULL_APIC);
		*apic_page(APIC_VERSION) = FULL_APIC;
		(void)apic_init();
		check((machine_cpu.apic_page ? 0 : 1) == on);
		check_equal(machine_msr(MSR_APIC_BASE) & 0xc00, 0x800 | on << 10);
	}
	machine_has_x2apic = false;
}

static void x2apic_start(bool is_silent) {
	machine_has_x2apic = true;
	machine_reset();
	for (uint32_t offset = 0; offset < 0x3f0; offset += 16)
		machine_msr_set(MSR_X2APIC + offset / 16, LEFT);
	machine_msr_set(MSR_X2APIC + APIC_VERSION / 16, FULL_APIC);
	check(start());
	machine_cpu.is_silent = is_silent;
	(void)apic_init();
	machine_has_x2apic = false;
}

// One write of all 64 bits, and the register of the upper half does not exist.
static void send_msr(void) {
	x2apic_start(false);
	machine_msr_remove(MSR_X2APIC + COMMAND_TARGET / 16);
	apic_send(300, INIT);
	check_equal(machine_msr(MSR_X2APIC + COMMAND / 16), 300ul << 32 | INIT);
}

static void blocked(void) {
	x2apic_start(false);
	check_equal(machine_msr(MSR_X2APIC + 8), 0);
	x2apic_start(true);
	check_equal(machine_msr(MSR_X2APIC + 8), 0xf0);
}

static const struct test tests[] = {
	{"startup.registers", "breakpoints, branch tracing and SYSENTER are switched off",
		registers},
	{"startup.registers.lacking", "a core without their MSRs starts too", registers_lacking},
	{"startup.leaves", "CPUID's hidden leaves are shown again", leaves_hidden},
	{"startup.leaves.locked", "leaves that stay hidden give no features", leaves_locked},
	{"startup.apic.errors", "errors of before boot raise no interrupt", errors_taken},
	{"startup.apic.sources", "the core's own interrupt sources are masked", sources_masked},
	{"startup.apic.lacking", "entries that a local APIC lacks are not touched",
		sources_lacking},
	{"startup.apic.extended", "AMD's further entries are masked", sources_extended},
	{"startup.apic.send", "a command goes to its core through the page", send_page},
	{"startup.apic.pending", "not before the last one has gone", send_pending},
	{"startup.features.hidden", "what an option switches off is not used", features_hidden},
	{"startup.apic.hidden", "nor is x2APIC mode, unless firmware has begun with it",
		x2apic_hidden},
	{"startup.apic.send.msr", "in x2APIC mode it is one write", send_msr},
	{"startup.apic.blocked", "no interrupt gets through where nothing runs", blocked},
};

int main(void) { return check_run(tests, array_count(tests)); }
