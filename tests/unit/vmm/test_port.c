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
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], 0); // CR4.DE is clear
	fake.fields[VMCS_GUEST_CR4] |= CR4_DE;
	port(UART + 4, 0, 0);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], 0);
	port(UART + 3, 0, 3);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_ENABLED | 2);
	fake.fields[VMCS_GUEST_PENDING_DEBUG] = 0;
	fake.words[W_RCX] = 5;
	fake.words[W_RSI] = SPACE + 0x2000;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_64 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(fake.registers[X86_RCX], 4);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_ENABLED | 2);
}

static void test_port_strings(void) {
	pages_fresh();
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_64 | RSI_OUTS;
	fake.words[W_RCX] = 3;
	fake.words[W_RSI] = 1ull << 62;
	port(UART, STRING_OUT, 0);
	check_exception(EXCEPTION_GENERAL_PROTECTION);
	fake.words[W_RDI] = 0x0000800000000000;
	port(UART + 5, STRING_IN, 0);
	check_exception(EXCEPTION_GENERAL_PROTECTION);
	// A string may come out of a pages_device.
	fake.words[W_RSI] = SPACE;
	memcpy(pages_device, "abc", 3);
	clear_log();
	port(UART, STRING_OUT, 0);
	check(log_has("abc"));
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	pages_map(2, MEMORY, PRESENT | WRITABLE | USER);
	fake.fields[VMCS_GUEST_CR4] |= CR4_SMAP;
	fake.words[W_RDI] = SPACE + 0x2000;
	port(UART + 5, STRING_IN, 0);
	check_page_fault(SPACE + 0x2000, 3);
}

// A count of zero, and of the bits that the address size covers only.
static void test_empty_string(void) {
	pages_fresh();
	clear_log();
	fake.words[W_RCX] = 0;
	fake.words[W_RSI] = 1ull << 62;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_64 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(event(), 0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	fake.words[W_RCX] = 5ull << 32;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_32 | RSI_OUTS;
	port(UART, STRING_OUT, 0);
	check_equal(event(), 0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	check_equal(vcpu->registers[X86_RSI], 1ull << 62);
	// Downwards, in a string of two that ends below where it began.
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_DIRECTION;
	fake.words[W_RCX] = 2;
	fake.words[W_RSI] = SPACE + 0x2001;
	memcpy(machine.memory.bytes + MEMORY, "ba", 2);
	port(UART, STRING_OUT, 0);
	check(log_has("ab"));
	check_equal(fake.registers[X86_RSI], SPACE + 0x1fff);
}

// A guest in 32-bit code without paging.
static void fresh_32(void) {
	pages_fresh();
	fake.fields[VMCS_GUEST_CR0] = CR0_PE | CR0_NE;
	fake.fields[VMCS_GUEST_EFER] = 0;
	fake.fields[VMCS_GUEST_CS_ACCESS] = 0xc09b;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_32 | RSI_OUTS;
	fake.words[W_RCX] = 1;
}

static void test_segments(void) {
	fresh_32();
	fake.words[W_RSI] = MEMORY - 0x1000;
	fake.fields[VMCS_GUEST_DS_BASE] = 0x1000;
	machine.memory.bytes[MEMORY] = 'x';
	clear_log();
	port(UART, STRING_OUT, 0);
	check(log_has("x"));
	fake.fields[VMCS_GUEST_DS_LIMIT] = MEMORY - 0x1001;
	port(UART, STRING_OUT, 0);
	check_exception(EXCEPTION_GENERAL_PROTECTION);
	fresh_32();
	fake.fields[VMCS_GUEST_ES_ACCESS] |= SEGMENT_UNUSABLE;
	port(UART, STRING_IN, 0);
	check_exception(EXCEPTION_GENERAL_PROTECTION);
	fresh_32();
	fake.fields[VMCS_GUEST_ES_ACCESS] = 0xc091; // read-only
	port(UART, STRING_IN, 0);
	check_exception(EXCEPTION_GENERAL_PROTECTION);
	fresh_32();
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = ADDRESS_32 | 2 << 15;
	fake.fields[VMCS_GUEST_SS_ACCESS] = 0xc097; // expands down
	fake.fields[VMCS_GUEST_SS_LIMIT] = MEMORY;
	fake.words[W_RSI] = MEMORY;
	port(UART, STRING_OUT, 0);
	check_exception(EXCEPTION_STACK);
	fake.words[W_RSI] = MEMORY + 1;
	port(UART, STRING_OUT, 0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	// Real mode has no error codes, and looks at limits only.
	fresh_32();
	fake.fields[VMCS_GUEST_CR0] = CR0_NE;
	fake.fields[VMCS_GUEST_ES_ACCESS] = 0x9b;
	fake.fields[VMCS_GUEST_ES_LIMIT] = 0xffff;
	fake.words[W_RDI] = 0xfff0;
	port(UART + 5, STRING_IN, 0);
	check_equal(machine.memory.bytes[0xfff0], 0x60);
	fake.words[W_RDI] = 0x10000;
	port(UART + 5, STRING_IN, 0);
	check_equal(event(), EVENT_VALID | EVENT_EXCEPTION | EXCEPTION_GENERAL_PROTECTION);
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
