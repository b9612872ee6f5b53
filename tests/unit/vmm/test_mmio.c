// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of instructions that reach devices: pages, faults, repetition, breakpoints.
#include "pages.h"

#include <string.h>

static void run(const char *code, unsigned length) {
	memcpy(machine.memory.bytes + CODE, code, length);
	fake.exit.physical = DEVICE;
	fake.exit.qualification = 0x181;
	leave(VCPU_EXIT_MEMORY);
}

static void test_crossing(void) {
	pages_fresh();
	fake.exit.registers[X86_RBX] = SPACE + 0xffd;
	fake.exit.registers[X86_RAX] = 0x8877665544332211;
	run("\x48\x89\x03", 3); // from one page of the pages_device into another
	check(memcmp(pages_device + 0xffd, "\x11\x22\x33", 3) == 0);
	check(memcmp(pages_device + 0x2000, "\x44\x55\x66\x77\x88", 5) == 0);
	check_equal(pages_get(PT, 0) & 0x60, 0x60);
	check_equal(pages_get(PT, 1) & 0x60, 0x60);
	fake.exit.registers[X86_RBX] = SPACE + 0x1ffe;
	run("\x89\x03", 2); // out of the pages_device into memory
	check(memcmp(pages_device + 0x2ffe, "\x11\x22", 2) == 0);
	check(memcmp(machine.memory.bytes + MEMORY, "\x33\x44", 2) == 0);
	run("\x8b\x0b", 2);
	check_equal(fake.guest.registers[X86_RCX], 0x44332211);
	check_equal(event(), 0);
}

// In compatibility mode linear addresses have 32 bits, also those of an operand's end.
static void test_crossing_4_gib(void) {
	pages_fresh();
	pages_put(PDPT, 3, PD | PRESENT | WRITABLE);
	pages_put(PD, 511, 0x600000 | PRESENT | WRITABLE | LARGE);
	fake.guest.segments[VCPU_CS].attributes = 0xc09b;
	fake.guest.segments[VCPU_DS].base = 0xfffffffe;
	fake.exit.registers[X86_RAX] = 0x44332211;
	run("\x89\x03", 2);
	check_equal(event(), 0);
	check(memcmp(machine.memory.bytes + 0x7ffffe, "\x11\x22", 2) == 0);
	check(memcmp(machine.memory.bytes, "\x33\x44", 2) == 0);
}

// The number of the bit may be in any register; some are read on demand.
static void test_bit_number(void) {
	pages_fresh();
	fake.guest.registers[X86_RSP] = 0x105;
	fake.exit.registers[X86_RBX] = SPACE;
	run("\x0f\xab\x23", 3); // BTS [rbx], esp
	check_equal(pages_device[0x20], 1 << 5);
	check_equal(pages_device[0], 0);
}

// CLFLUSH means a line, by one of its bytes.
static void test_flush(void) {
	pages_fresh();
	fake.exit.registers[X86_RBX] = SPACE + 0x3fff;
	run("\x0f\xae\x3b", 3);
	check_equal(fake.guest.rip, CODE + 3);
	fake.exit.registers[X86_RBX] = SPACE + 0xfff;
	run("\x66\x0f\xae\x3b", 4);
	check_equal(fake.guest.rip, CODE + 4);
	check_equal(pages_accesses, 0);
	fake.exit.registers[X86_RBX] = SPACE + 0x4000;
	run("\x66\x0f\xae\x33", 4);
	check_page_fault(SPACE + 0x4000, 0);
}

static void test_faults(void) {
	pages_fresh();
	fake.exit.registers[X86_RBX] = SPACE + 0x3ffe;
	fake.exit.registers[X86_RAX] = 0x12345678;
	run("\x89\x03", 2); // the second page is absent
	check_page_fault(SPACE + 0x4000, 2);
	check_equal(pages_accesses, 0);
	check_equal(machine.memory.bytes[MEMORY + 0x3ffe], 0);
	pages_map(0, DEVICE, PRESENT);
	fake.exit.registers[X86_RBX] = SPACE;
	run("\x01\x03", 2); // a read that will write
	check_page_fault(SPACE, 3);
	run("\x0f\xb1\x03", 3); // CMPXCHG writes in either case
	check_page_fault(SPACE, 3);
	fake.exit.registers[X86_RAX] = 0;
	run("\x0f\xa3\x03", 3); // BT does not
	check_equal(fake.guest.rip, CODE + 3);
	check_equal(pages_get(PT, 0) & 0x60, 0x20);
	fake.exit.registers[X86_RBX] = 1ull << 63;
	run("\x89\x03", 2);
	check_exception(VECTOR_PROTECTION);
	fake.exit.registers[X86_RBX] = 0x00007ffffffffffe;
	run("\x89\x03", 2); // its end lies outside
	check_exception(VECTOR_PROTECTION);
	fake.exit.registers[X86_RBP] = 1ull << 63;
	run("\x89\x45\x00", 3); // [rbp]
	check_exception(VECTOR_STACK);
	fake.guest.registers[X86_RSP] = 1ull << 62;
	run("\x89\x04\x24", 3); // [rsp]
	check_exception(VECTOR_STACK);
}

static void test_rights(void) {
	pages_fresh();
	pages_map(0, DEVICE, PRESENT | WRITABLE | USER);
	fake.exit.registers[X86_RBX] = SPACE;
	fake.guest.cr4 |= CR4_SMAP;
	run("\x8b\x03", 2);
	check_page_fault(SPACE, 1);
	fake.exit.rflags |= FLAGS_AC;
	run("\x8b\x03", 2);
	check_equal(fake.guest.rip, CODE + 2);
	// A user has the rights of a user, and alignment checks.
	fake.guest.segments[VCPU_SS].attributes |= 3 << VCPU_SEGMENT_PRIVILEGE_SHIFT;
	pages_put(LOW, 0, PRESENT | WRITABLE | USER | LARGE);
	run("\x8b\x03", 2);
	check_equal(fake.guest.rip, CODE + 2);
	fake.exit.registers[X86_RBX] = SPACE + 1;
	run("\x8b\x03", 2);
	check_equal(fake.guest.rip, CODE + 2);
	fake.guest.cr0 |= CR0_AM;
	run("\x8b\x03", 2);
	check_exception(VECTOR_ALIGNMENT);
	fake.exit.registers[X86_RBX] = SPACE + 0x1000;
	run("\x8b\x03", 2);
	check_page_fault(SPACE + 0x1000, 5);
}

static void test_fetch(void) {
	pages_fresh();
	// The instruction's end lies in the next page of 2 MiB.
	const uint64_t rip = 0x1ffffe;

	memcpy(machine.memory.bytes + rip, "\xc7\x03\x78\x56\x34\x12", 6);
	fake.exit.rip = rip;
	fake.exit.registers[X86_RBX] = SPACE;
	fake.exit.qualification = 0x181;
	fake.guest.efer |= EFER_NXE;
	leave(VCPU_EXIT_MEMORY);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | 14);
	check_equal(fake.guest.cr2, 0x200000);
	check_equal(fake.guest.event.error_code, 0x10);
	pages_put(LOW, 1, 0x200000 | PRESENT | LARGE | 1ull << 63);
	leave(VCPU_EXIT_MEMORY);
	check_equal(fake.guest.event.error_code, 0x11);
	pages_put(LOW, 1, 0x200000 | PRESENT | LARGE);
	leave(VCPU_EXIT_MEMORY);
	check_equal(fake.guest.rip, rip + 6);
	check(memcmp(pages_device, "\x78\x56\x34\x12", 4) == 0);
	// What is not understood is no page fault.
	pages_put(LOW, 1, 0);
	memcpy(machine.memory.bytes + rip, "\x0f\x28", 2);
	leave(VCPU_EXIT_MEMORY);
	check_equal(event(), INVALID_OPCODE);
}

static void test_long_repetition(void) {
	pages_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.exit.registers[X86_RCX] = 2000;
	fake.exit.registers[X86_RDI] = SPACE;
	fake.exit.registers[X86_RAX] = 0xaa;
	lapic_receive(lapic, &(struct apic_message){.vector = 0x55});
	run("\xf3\xaa", 2);
	check_equal(pages_accesses, 1024);
	check_equal(fake.guest.rip, CODE);
	check_equal(fake.guest.registers[X86_RCX], 976);
	check_equal(fake.guest.registers[X86_RDI], SPACE + 1024);
	// The interrupt comes between elements, with RF for the instruction that goes on.
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXTERNAL | 0x55);
	check(fake.guest.rflags & FLAGS_RF);
	fake.exit.registers[X86_RCX] = 976;
	fake.exit.registers[X86_RDI] = SPACE + 1024;
	fake.exit.rflags |= FLAGS_RF;
	run("\xf3\xaa", 2);
	check_equal(fake.guest.rip, CODE + 2);
	check_equal(fake.guest.registers[X86_RCX], 0);
	check(!(fake.guest.rflags & FLAGS_RF));
	check(pages_device[1999] == 0xaa && pages_device[2000] == 0);
}

static void test_stepped_repetition(void) {
	pages_fresh();
	fake.exit.registers[X86_RCX] = 3;
	fake.exit.registers[X86_RSI] = SPACE + 0x2000;
	fake.exit.registers[X86_RDI] = SPACE;
	fake.exit.rflags |= FLAGS_TF;
	machine.memory.bytes[MEMORY] = 0x77;
	run("\xf3\xa4", 2);
	check_equal(fake.guest.registers[X86_RCX], 2);
	check_equal(fake.guest.rip, CODE);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_STEP);
	check_equal(pages_device[0], 0x77);
}

static void test_faulting_repetition(void) {
	pages_fresh();
	fake.exit.registers[X86_RCX] = 0x100;
	fake.exit.registers[X86_RSI] = SPACE + 0x5000;
	fake.exit.registers[X86_RDI] = SPACE + 0x3ff0;
	pages_device[0x1000] = 0x11;
	pages_device[0x1008] = 0x22;
	run("\xf3\x48\xa5", 3);
	check_page_fault(SPACE + 0x4000, 2);
	check_equal(fake.guest.registers[X86_RCX], 0xfe);
	check_equal(fake.guest.registers[X86_RSI], SPACE + 0x5010);
	check_equal(fake.guest.registers[X86_RDI], SPACE + 0x4000);
	check_equal(machine.memory.bytes[MEMORY + 0x3ff8], 0x22);
	// Downwards, and with addresses of 32 bits.
	pages_fresh();
	fake.exit.registers[X86_RCX] = 0xffffffff00000002;
	fake.exit.registers[X86_RDI] = 0xffffffff00000000 | (SPACE + 8);
	fake.exit.rflags |= FLAGS_DF;
	fake.exit.registers[X86_RAX] = 0x12345678;
	run("\x67\xf3\xab", 3);
	check_equal(fake.guest.registers[X86_RCX], 0);
	check_equal(fake.guest.registers[X86_RDI], SPACE);
	check(memcmp(pages_device + 4, "\x78\x56\x34\x12\x78\x56\x34\x12", 8) == 0);
}

static void test_breakpoints(void) {
	pages_fresh();
	pages_breakpoint(0, SPACE + 0x10, 1);
	pages_breakpoint(2, SPACE + 0x20, 3);
	fake.exit.registers[X86_RBX] = SPACE + 0x10;
	run("\x8b\x03", 2);
	check_equal(fake.guest.pending_debug, 0);
	fake.exit.registers[X86_RBX] = SPACE + 0x0f;
	run("\x66\xff\x03", 3); // a byte of it, by INC
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_ENABLED | 1);
	check_equal(fake.guest.rip, CODE + 3);
	fake.guest.pending_debug = 0;
	fake.exit.registers[X86_RBX] = SPACE + 0x1d;
	run("\x8b\x03", 2);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_ENABLED | 4);
	fake.guest.pending_debug = 0;
	fake.exit.registers[X86_RBX] = SPACE + 0x24;
	run("\x8b\x03", 2);
	check_equal(fake.guest.pending_debug, 0);
	// A repetition stops at the element that met it.
	fake.exit.registers[X86_RCX] = 100;
	fake.exit.registers[X86_RDI] = SPACE;
	run("\xf3\xaa", 2);
	check_equal(fake.guest.registers[X86_RCX], 100 - 0x11);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_ENABLED | 1);
}

static void test_unblocked(void) {
	pages_fresh();
	fake.exit.qualification = 0x181 | 1 << 12;
	memcpy(machine.memory.bytes + CODE, "\x48\xcf",
		2); // IRETQ from a stack in the pages_device
	leave(VCPU_EXIT_MEMORY);
	check_equal(event(), INVALID_OPCODE);
	check_equal(fake.guest.interruptibility, VCPU_BLOCKED_BY_NMI);
}

int main(void) {
	static const struct test tests[] = {
		{"mmio.crossing", "an operand may lie in two pages", test_crossing},
		{"mmio.4_gib", "outside 64-bit mode addresses wrap at 4 GiB", test_crossing_4_gib},
		{"mmio.bit_number", "BTS takes its number from RSP too", test_bit_number},
		{"mmio.flush", "CLFLUSH and CLWB concern one byte, and read nothing", test_flush},
		{"mmio.faults", "an operand's faults are those of the CPU", test_faults},
		{"mmio.rights", "SMAP, users and alignment are checked", test_rights},
		{"mmio.fetch", "fetching the instruction may fault", test_fetch},
		{"mmio.repeat", "a long repetition lets interrupts through", test_long_repetition},
		{"mmio.repeat_step", "TF traps after each element", test_stepped_repetition},
		{"mmio.repeat_fault", "a fault finds the element", test_faulting_repetition},
		{"mmio.breakpoints", "data breakpoints are met", test_breakpoints},
		{"mmio.unblocked", "a faulting IRET leaves NMIs blocked", test_unblocked},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
