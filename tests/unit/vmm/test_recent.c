// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of lengths that are known from the exit before, where AMD-V tells none.
#include "pages.h"

#include <x86/msr.h>

#include <string.h>

static void fresh(void) {
	pages_fresh();
	vcpu->page->controls_offered |= VCPU_BY_AMD_V;
	fake.exit.instruction_length = 0;
}

// The length of CPUID behind so many prefixes, in page 2 of the small space.
static void check_prefixes(unsigned count) {
	fake.exit.rip = SPACE + 0x2000;
	leave(VCPU_EXIT_CPUID);
	check(!(event() & VCPU_EVENT_VALID));
	check_equal(fake.guest.rip, SPACE + 0x2002 + count);
}

static void check_faulted(void) {
	check_equal(event() & (VCPU_EVENT_VALID | 0xff), VCPU_EVENT_VALID | VECTOR_PAGE_FAULT);
}

// What an instruction's length follows from is looked at each time, also where it was the same
// before.
static void test_recent(void) {
	const uint64_t rights = PRESENT | USER, accessed = 1 << 5;
	uint8_t *ram;

	fresh();
	ram = machine.memory.bytes;
	for (unsigned i = 0; i < 3; i++) // behind i prefixes
		memcpy(ram + MEMORY + 0x3000 * i, &"\x66\x66\x0f\xa2"[2 - i], 2 + i);
	memcpy(ram + MEMORY + 0x10000, ram + PML4, 0x4000); // the same tables once more
	check_prefixes(0);
	check_equal(vcpu->recent[SPACE % RECENTS].length, 2);
	check_prefixes(0);
	pages_map(2, MEMORY + 0x3000, rights); // another page
	check_prefixes(1);
	check_prefixes(1);
	check(pages_get(PT, 2) & accessed);
	pages_map(2, MEMORY + 0x3000, rights); // as a CPU does on its way there
	check_prefixes(1);
	check(pages_get(PT, 2) & accessed);
	pages_put(MEMORY + 0x13000, 2, (MEMORY + 0x6000) | rights); // another table
	pages_put(PD, 0, (MEMORY + 0x13000) | rights);
	check_prefixes(2);
	memcpy(ram + MEMORY + 0x6000, "\x0f\xa2", 2); // other bytes
	check_prefixes(0);
	pages_put(MEMORY + 0x10000, 0, (MEMORY + 0x11000) | rights);
	pages_put(MEMORY + 0x11000, 1, (MEMORY + 0x12000) | rights);
	fake.exit.cr3 = MEMORY + 0x10000; // other tables: the copies
	check_prefixes(1);
	fake.exit.cr3 = PML4;
	check_prefixes(0);
	memcpy(ram + MEMORY + 0x6000 + RECENTS, "\x66\x0f\xa2", 3);
	fake.exit.rip = SPACE + 0x2000 + RECENTS; // another place
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.rip, SPACE + 0x2003 + RECENTS);
	check_prefixes(0);
	fake.guest.cr4 |= CR4_SMEP; // a user's page
	leave(VCPU_EXIT_CPUID);
	check_faulted();
	fake.guest.cr4 &= ~(uint64_t)CR4_SMEP;
	check_prefixes(0);
	pages_put(MEMORY + 0x13000, 2, (MEMORY + 0x6000) | PRESENT);
	check_prefixes(0);
	fake.guest.segments[VCPU_SS].attributes |= 3 << VCPU_SEGMENT_PRIVILEGE_SHIFT;
	leave(VCPU_EXIT_CPUID); // not a user's page
	check_faulted();
	fake.guest.segments[VCPU_SS].attributes &= ~(3 << VCPU_SEGMENT_PRIVILEGE_SHIFT);
	leave(VCPU_EXIT_HLT); // other bytes than the exit's
	check_equal(event(), INVALID_OPCODE);
	check_prefixes(0);
	pages_put(MEMORY + 0x13000, 2, 0);
	leave(VCPU_EXIT_CPUID);
	check_faulted();
}

// At the end of a page, where the rest of the bytes is on another.
static void test_recent_on_two_pages(void) {
	fresh();
	machine.memory.bytes[MEMORY + 0xfff] = 0x0f;
	machine.memory.bytes[MEMORY + 0x3000] = 0xa2;
	for (unsigned i = 0; i < 2; i++) {
		fake.exit.rip = SPACE + 0x2fff;
		leave(VCPU_EXIT_CPUID);
		check_equal(fake.guest.rip, SPACE + 0x3001);
	}
	pages_map(3, 0, 0);
	leave(VCPU_EXIT_CPUID);
	check_faulted();
}

// Where RIP and reason tell mode and privilege, the segments are not asked for.
static void test_recent_of_the_kernel(void) {
	const uint64_t high = 1ul << 39;
	uint8_t *ram;

	fresh();
	ram = machine.memory.bytes;
	memcpy(ram + MEMORY, "\x0f\x32", 2);
	memcpy(ram + MEMORY + 0x3000, "\x66\x0f\x32", 3);
	pages_put(PML4, 1, PDPT | PRESENT);
	for (unsigned i = 0; i < 4; i++) {
		fake.exit.registers[X86_RCX] = MSR_APIC_BASE;
		fake.exit.rip = high + SPACE + 0x2000;
		leave(VCPU_EXIT_RDMSR);
		check_equal(fake.guest.rip, high + SPACE + 0x2002 + i / 2);
		if (i == 1) pages_map(2, MEMORY + 0x3000, PRESENT);
	}
	check(fake.page.save[VCPU_EXIT_RDMSR] & VCPU_GROUP_PAGING);
	check(!(fake.page.save[VCPU_EXIT_RDMSR] & VCPU_GROUP_CODE));
	memcpy(ram + MEMORY + 0x3000, "\x0f\xa2", 2);
	leave(VCPU_EXIT_CPUID); // which programs may execute
	check(fake.page.save[VCPU_EXIT_CPUID] & VCPU_GROUP_CODE);
	fake.exit.rip = SPACE + 0x2000; // where other code may be, too
	memcpy(ram + MEMORY + 0x3000, "\x0f\x32", 2);
	leave(VCPU_EXIT_RDMSR);
	check(fake.page.save[VCPU_EXIT_RDMSR] & VCPU_GROUP_CODE);
}

int main(void) {
	static const struct test tests[] = {
		{"recent.changes", "a length is known again where nothing has changed",
			test_recent},
		{"recent.two_pages", "not of an instruction on two pages",
			test_recent_on_two_pages},
		{"recent.kernel", "of the guest's kernel without its segments",
			test_recent_of_the_kernel},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
