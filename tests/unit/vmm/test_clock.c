// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of KVM's clock.
#include "rig.h"

#include <x86/msr.h>

#include <string.h>

static void rdmsr(uint32_t number) {
	fake.exit.registers[X86_RCX] = number;
	leave(VCPU_EXIT_RDMSR);
}

struct record {
	uint32_t version, reserved;
	uint64_t tsc, system;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags, padding[2];
};

static struct record record_at(uint64_t address) {
	struct record record;

	memcpy(&record, machine.memory.bytes + address, sizeof(record));
	return record;
}

static uint64_t nanoseconds(const struct record *record, uint64_t tsc) {
	uint64_t ticks = tsc - record->tsc;

	ticks = record->shift < 0 ? ticks >> -record->shift : ticks << record->shift;
	return record->system + (uint64_t)((unsigned __int128)ticks * record->multiplier >> 32);
}

static uint64_t guest_tsc(void) { return fake.tsc + fake.guest.tsc_offset; }

static void check_rate(uint64_t hertz) {
	struct record record;
	uint64_t shown;

	rig_fresh();
	machine.processors[0].clock.hertz = hertz;
	wrmsr(MSR_KVM_SYSTEM_TIME, STACK | 1);
	record = record_at(STACK);
	fake.tsc += 3600 * hertz;
	shown = nanoseconds(&record, guest_tsc());
	check(shown <= 3600000000000 && shown > 3600000000000 - 10000); // 3 in a milliard
	check(record.multiplier >> 31 == 1 && record.flags == 1 && record.version % 2 == 0);
	// A guest that moves its TSC goes on with the time.
	wrmsr(MSR_TSC, 5);
	record = record_at(STACK);
	check(nanoseconds(&record, guest_tsc()) - shown < 10000);
}

static void test_clock(void) {
	static const uint64_t rates[] = {1000000, 999999999, 1000000000, 1000000001, 2000000000,
		2299992000, 2000000002, 5200000000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		check_rate(rates[i]);
	rdmsr(MSR_KVM_SYSTEM_TIME);
	check_equal(fake.guest.registers[X86_RAX], STACK | 1);
	wrmsr(MSR_KVM_SYSTEM_TIME, 0);
	memset(machine.memory.bytes + STACK, 0, 32);
	wrmsr(MSR_TSC, 7);
	check_equal(record_at(STACK).multiplier, 0);
	wrmsr(MSR_KVM_SYSTEM_TIME, (RAM - 16) | 1);
	check_equal(event(), PROTECTION_FAULT);
	rdmsr(MSR_KVM_SYSTEM_TIME);
	check_equal(fake.guest.registers[X86_RAX], 0);
}

// The rig's clock has a million ticks a second, and the guest started at one second.
static void test_wall_clock(void) {
	uint32_t words[3];

	rig_fresh();
	fake.tsc = 3500000;
	rtc_start(&machine.rtc, &machine.clock, 86400, 1000000);
	check(machine_reset(&machine));
	machine_settle(&machine);
	fake_take();
	wrmsr(MSR_KVM_WALL_CLOCK, STACK);
	memcpy(words, machine.memory.bytes + STACK, sizeof(words));
	check_equal(words[0] % 2, 0);
	check_equal(words[1], 86402);
	check_equal(words[2], 500000000);
	wrmsr(MSR_KVM_WALL_CLOCK, RAM - 8);
	check_equal(event(), PROTECTION_FAULT);
}

int main(void) {
	static const struct test tests[] = {
		{"clock.rate", "KVM's clock is right, and when the TSC moves", test_clock},
		{"clock.wall", "the wall clock is that of the guest's start", test_wall_clock},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
