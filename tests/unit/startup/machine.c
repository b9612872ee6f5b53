// SPDX-License-Identifier: BSD-2-Clause
// The core: CPUID, MSRs, and the local APIC in its page or behind MSRs.
#include "machine.h"

#include <base/compiler.h>
#include <cpu/console.h>
#include <cpu/layout.h>
#include <cpu/msr.h>
#include <cpu/percpu.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MSRS = 128,
	ERROR_ENTRY = MSR_X2APIC + APIC_ERROR / 16,
	ERRORS = MSR_X2APIC + APIC_ERRORS / 16
};

struct machine machine;
struct cpu machine_cpu;
uint32_t machine_apic[0x1000 / 4];
uint32_t machine_errors, machine_errors_at_unmask;
bool machine_has_x2apic;
unsigned machine_waits;
char machine_printed[2048];

static struct {
	uint32_t number;
	bool is_locked;
	uint64_t value;
} msrs[MSRS];
static unsigned msr_count;

struct cpu *this_cpu(void) {
	return &machine_cpu;
}

void print(const char *format, ...) {
	size_t length = strlen(machine_printed);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(machine_printed + length, sizeof(machine_printed) - length, format, arguments);
	va_end(arguments);
}

static unsigned msr_find(uint32_t number) {
	unsigned i = 0;

	while (i < msr_count && msrs[i].number != number)
		i++;
	return i;
}

void machine_msr_set(uint32_t number, uint64_t value) {
	unsigned i = msr_find(number);

	if (i == MSRS) abort();
	if (i == msr_count) msr_count++;
	msrs[i].number = number;
	msrs[i].is_locked = false;
	msrs[i].value = value;
}

void machine_msr_remove(uint32_t number) { msrs[msr_find(number)] = msrs[--msr_count]; }

void machine_msr_lock(uint32_t number) { msrs[msr_find(number)].is_locked = true; }

uint64_t machine_msr(uint32_t number) {
	unsigned i = msr_find(number);

	return i < msr_count ? msrs[i].value : 0;
}

bool msr_try_read(uint32_t number, uint64_t *value) {
	*value = machine_msr(number);
	return msr_find(number) < msr_count;
}

bool msr_try_write(uint32_t number, uint64_t value) {
	unsigned i = msr_find(number);

	if (i == msr_count || msrs[i].is_locked) return false;
	msrs[i].value = value;
	return true;
}

// Those that the kernel is sure of; a wrong belief would be an exception.
uint64_t machine_msr_read(uint32_t number) {
	uint64_t value;

	if (!msr_try_read(number, &value)) abort();
	return value;
}

// A write of the error register shows what came since the last one (SDM 3A 11.5.3).
void machine_msr_write(uint32_t number, uint64_t value) {
	if (number == ERROR_ENTRY && !(value & MACHINE_LVT_MASKED))
		machine_errors_at_unmask = machine_errors | (uint32_t)machine_msr(ERRORS);
	if (number == ERRORS) {
		value = machine_errors;
		machine_errors = 0;
	}
	if (!msr_try_write(number, value)) abort();
}

// Every bit that asks for a feature is set in the leaves there are.
struct cpuid machine_cpuid(uint32_t leaf, uint32_t subleaf) {
	bool is_limited = machine_msr(MSR_MISC_ENABLE) & MISC_ENABLE_LIMIT_CPUID;
	uint32_t last = leaf >> 31 ? 0x80000008 : is_limited ? 3 : MACHINE_LEAVES;

	if ((leaf & 0x7fffffff) == 0) return (struct cpuid){.eax = last};
	if (leaf > last) return (struct cpuid){.eax = 0x55555555, .ebx = 0x55555555};
	if (leaf == 1)
		return (struct cpuid){.ecx = ~(machine_has_x2apic ? 0 : 1u << 21), .edx = ~0u};
	return (struct cpuid){subleaf || leaf != 7 ? ~0u : 0, ~0u, ~0u, ~0u};
}

void machine_relax(void) {
	if (++machine_waits == 3) machine_apic[0x300 / 4] = 0;
}

void *machine_pointer(physical_t address) {
	if (address.value != 0xfee00000) abort();
	return machine_apic;
}

void machine_reset(void) {
	static const uint32_t empty[] = {
		MSR_APIC_BASE, MSR_MISC_ENABLE, MSR_DEBUGCTL, MSR_SYSENTER_CS, MSR_PAT, MSR_EFER};

	machine = (struct machine){0xdead, 0xdead, 0xdead};
	machine_printed[0] = '\0';
	msr_count = 0;
	for (unsigned i = 0; i < array_count(empty); i++)
		machine_msr_set(empty[i], 0xbeef0000);
	machine_msr_set(MSR_APIC_BASE, 0xfee00000 | 1 << 8);
	for (uint32_t offset = 0; offset < sizeof(machine_apic); offset += 16)
		machine_apic[offset / 4] = 0xfe;
	machine_apic[APIC_EXTENDED / 4] = 3 << 16;
}
