// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of INS and OUTS, whose memory operand the CPU has not looked at when they exit.
#include "pages.h"

#include <string.h>

enum {
	RSI_OUTS = 3 << 15, // DS
	ADDRESS_64 = 2 << 7,
	ADDRESS_32 = 1 << 7,
	STRING_OUT = 0x30, // REP OUTSB
	STRING_IN = 0x38, // REP INSB
	UART = 0x3f8,
};

static void test_port_breakpoint(void) {
	pages_fresh();
	pages_breakpoint(1, UART, 2);
	port(UART, 0, 'A');
	check_equal(fake.guest.pending_debug, 0); // CR4.DE is clear
	fake.guest.cr4 |= CR4_DE;
	port(UART + 4, 0, 0);
	check_equal(fake.guest.pending_debug, 0);
	port(UART + 3, 0, 3);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_ENABLED | 2);
	fake.guest.pending_debug = 0;
	fake.exit.registers[X86_RCX] = 5;
	fake.exit.registers[X86_RSI] = SPACE + 0x2000;
	fake.exit.instruction_information = ADDRESS_64 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(fake.guest.registers[X86_RCX], 4);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_ENABLED | 2);
}

static void test_port_strings(void) {
	pages_fresh();
	fake.exit.instruction_information = ADDRESS_64 | RSI_OUTS;
	fake.exit.registers[X86_RCX] = 3;
	fake.exit.registers[X86_RSI] = 1ull << 62;
	port(UART, STRING_OUT, 0);
	check_exception(VECTOR_PROTECTION);
	fake.exit.registers[X86_RDI] = 0x0000800000000000;
	port(UART + 5, STRING_IN, 0);
	check_exception(VECTOR_PROTECTION);
	// A string may come out of a pages_device.
	fake.exit.registers[X86_RSI] = SPACE;
	memcpy(pages_device, "abc", 3);
	clear_log();
	port(UART, STRING_OUT, 0);
	check(log_has("abc"));
	check_equal(fake.guest.rip, CODE + 2);
	pages_map(2, MEMORY, PRESENT | WRITABLE | USER);
	fake.guest.cr4 |= CR4_SMAP;
	fake.exit.registers[X86_RDI] = SPACE + 0x2000;
	port(UART + 5, STRING_IN, 0);
	check_page_fault(SPACE + 0x2000, 3);
}

// A count of zero, and of the bits that the address size covers only.
static void test_empty_string(void) {
	pages_fresh();
	clear_log();
	fake.exit.registers[X86_RCX] = 0;
	fake.exit.registers[X86_RSI] = 1ull << 62;
	fake.exit.instruction_information = ADDRESS_64 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(event(), 0);
	check_equal(fake.guest.rip, CODE + 2);
	fake.exit.registers[X86_RCX] = 5ull << 32;
	fake.exit.instruction_information = ADDRESS_32 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(event(), 0);
	check_equal(fake.guest.rip, CODE + 2);
	check_equal(fake.guest.registers[X86_RSI], 1ull << 62);
	// Downwards, in a string of two that ends below where it began.
	fake.exit.rflags |= FLAGS_DF;
	fake.exit.registers[X86_RCX] = 2;
	fake.exit.registers[X86_RSI] = SPACE + 0x2001;
	memcpy(machine.memory.bytes + MEMORY, "ba", 2);
	port(UART, STRING_OUT, 0);
	check(log_has("ab"));
	check_equal(fake.guest.registers[X86_RSI], SPACE + 0x1fff);
}

// A guest in 32-bit code without paging.
static void fresh_32(void) {
	pages_fresh();
	fake.guest.cr0 = CR0_PE | CR0_NE;
	fake.guest.efer = 0;
	fake.guest.segments[VCPU_CS].attributes = 0xc09b;
	fake.exit.instruction_information = ADDRESS_32 | RSI_OUTS;
	fake.exit.registers[X86_RCX] = 1;
}

static void test_segments(void) {
	fresh_32();
	fake.exit.registers[X86_RSI] = MEMORY - 0x1000;
	fake.guest.segments[VCPU_DS].base = 0x1000;
	machine.memory.bytes[MEMORY] = 'x';
	clear_log();
	port(UART, STRING_OUT, 0);
	check(log_has("x"));
	fake.guest.segments[VCPU_DS].limit = MEMORY - 0x1001;
	port(UART, STRING_OUT, 0);
	check_exception(VECTOR_PROTECTION);
	fresh_32();
	fake.guest.segments[VCPU_ES].attributes |= VCPU_SEGMENT_UNUSABLE;
	port(UART, STRING_IN, 0);
	check_exception(VECTOR_PROTECTION);
	fresh_32();
	fake.guest.segments[VCPU_ES].attributes = 0xc091; // read-only
	port(UART, STRING_IN, 0);
	check_exception(VECTOR_PROTECTION);
	fresh_32();
	fake.exit.instruction_information = ADDRESS_32 | 2 << 15;
	fake.guest.segments[VCPU_SS].attributes = 0xc097; // expands down
	fake.guest.segments[VCPU_SS].limit = MEMORY;
	fake.exit.registers[X86_RSI] = MEMORY;
	port(UART, STRING_OUT, 0);
	check_exception(VECTOR_STACK);
	fake.exit.registers[X86_RSI] = MEMORY + 1;
	port(UART, STRING_OUT, 0);
	check_equal(fake.guest.rip, CODE + 2);
	// Real mode has no error codes, and looks at limits only.
	fresh_32();
	fake.guest.cr0 = CR0_NE;
	fake.guest.segments[VCPU_ES].attributes = 0x9b;
	fake.guest.segments[VCPU_ES].limit = 0xffff;
	fake.exit.registers[X86_RDI] = 0xfff0;
	port(UART + 5, STRING_IN, 0);
	check_equal(machine.memory.bytes[0xfff0], 0x60);
	fake.exit.registers[X86_RDI] = 0x10000;
	port(UART + 5, STRING_IN, 0);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VECTOR_PROTECTION);
}

int main(void) {
	static const struct test tests[] = {
		{"port.breakpoint", "breakpoints on ports are met", test_port_breakpoint},
		{"port.strings", "INS and OUTS fault as the CPU does", test_port_strings},
		{"port.empty_string", "INS and OUTS count as the address size says",
			test_empty_string},
		{"port.segments", "segments are checked outside 64-bit mode", test_segments},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
