// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the whole machine on a fake host: exits, interrupts, time, reset.
#include "check.h"
#include "fake_host.h"

#include <vmm/exits.h>
#include <vmm/log.h>

#include <abi/vcpu.h>
#include <components/console.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAM = 64 << 20, SETUP = 5 * 512, CODE = 0x100000, STACK = 0x200000 };

static struct machine machine;
static struct console console;
static char output[1 << 20];
static uint8_t image[SETUP + 0x1000];

static void put(unsigned offset, uint64_t value, unsigned width) {
	memcpy(image + offset, &value, width);
}

static void build_image(void) {
	put(0x1f1, 4, 1);
	put(0x1f4, 0x100, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x020f, 2);
	put(0x22c, 0x7fffffff, 4);
	put(0x236, 1, 2);
	put(0x238, 2047, 4);
	put(0x258, 0x1000000, 8);
}

static void send(void *lapic, const struct apic_message *message) { lapic_receive(lapic, message); }

static void wire(void) {
	machine.clock = (struct clock){.read = host_tsc, .hertz = 1000000};
	machine.cpuid = (struct cpuid_model){host_cpuid, 7, 1000000, SECONDARY_RDTSCP};
	machine.control = (struct control){&machine.memory, &machine.lapic, 7, 1};
	machine.msrs = (struct msr_file){.lapic = &machine.lapic, .clock = &machine.clock};
	machine.lapic.clock = &machine.clock;
	machine.lapic.ioapic = &machine.ioapic;
	machine.lapic.end_of_interrupt = ioapic_end_of_interrupt;
	machine.ioapic.destination = &machine.lapic;
	machine.ioapic.send = send;
	machine.uart.line = (struct line){ioapic_pin_changed, &machine.ioapic, 4, LINE_LOW};
	machine.uart.backend = terminal_backend(&machine.terminal);
	machine.terminal = (struct terminal){.rings = &console, .signal = host_console_signal};
	log_start(terminal_write, &machine.terminal);
}

static void fresh(void) {
	uint8_t *ram = machine.memory.bytes;
	fake_reset();
	build_image();
	memset(&machine, 0, sizeof(machine));
	memset(&console, 0, sizeof(console));
	machine.memory = (struct guest_memory){ram != NULL ? ram : malloc(RAM), RAM};
	memset(machine.memory.bytes, 0, RAM);
	machine.files.kernel = (struct linux_file){image, sizeof(image)};
	wire();
	CHECK(bus_add(&machine.memory_bus, &lapic_page, &machine.lapic));
	CHECK(bus_add(&machine.memory_bus, &ioapic_page, &machine.ioapic));
	CHECK(bus_add(&machine.port_bus, &uart_ports, &machine.uart));
	CHECK(bus_add(&machine.port_bus, &rtc_ports, &machine.rtc));
	CHECK(bus_add(&machine.port_bus, &power_reset_port, &machine.power));
	CHECK(bus_add(&machine.port_bus, &power_keyboard_port, &machine.power));
	CHECK(bus_add(&machine.port_bus, &power_sleep_ports, &machine.power));
	rtc_start(&machine.rtc, &machine.clock, 0, 0);
	machine.armed = CLOCK_NEVER;
	CHECK(machine_reset(&machine));
	machine_settle(&machine);
	CHECK(fake.running);
	// Tests change registers in fake.words; the guest runs with interrupts on at CODE.
	memset(fake.words, 0, sizeof(fake.words));
	fake.words[HOST_EXIT_RIP] = CODE;
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED | RFLAGS_INTERRUPT;
	fake.words[HOST_EXIT_CR3] = fake.fields[VMCS_GUEST_CR3];
	fake.words[HOST_EXIT_LENGTH] = 2;
}

enum word_register { W_RAX = 10, W_RBX, W_RCX, W_RDX, W_RSI, W_RDI };

// One exit as main.c handles it.
static void leave(enum exit_reason reason) {
	fake.words[HOST_EXIT_REASON] = reason;
	fake.words[HOST_EXIT_PRIMARY_CONTROLS] = fake.fields[VMCS_PRIMARY_CONTROLS];
	// A VM entry delivers the event and clears its valid bit.
	fake.fields[VMCS_ENTRY_INTERRUPTION] &= ~(uint64_t)EVENT_VALID;
	fake.words[HOST_EXIT_ENTRY_INTERRUPTION] = fake.fields[VMCS_ENTRY_INTERRUPTION];
	fake.fields[VMCS_GUEST_RIP] = fake.words[HOST_EXIT_RIP];
	fake.fields[VMCS_GUEST_RFLAGS] = fake.words[HOST_EXIT_RFLAGS];
	fake.fields[VMCS_GUEST_INTERRUPTIBILITY] = fake.words[HOST_EXIT_INTERRUPTIBILITY];
	vcpu_load_exit(&machine.vcpu);
	exit_handle(&machine);
	machine_settle(&machine);
}

static void notify(void) {
	vcpu_load_notification(&machine.vcpu);
	uart_poll(&machine.uart);
	machine_settle(&machine);
}

static void wrmsr(uint32_t number, uint64_t value) {
	fake.words[W_RCX] = number;
	fake.words[W_RAX] = (uint32_t)value;
	fake.words[W_RDX] = value >> 32;
	leave(EXIT_WRMSR);
}

static bool log_has(const char *text) {
	size_t count = strlen(output);
	uint8_t byte;
	while (count < sizeof(output) - 1 && ring_get(&console.out, &byte))
		output[count++] = (char)byte;
	output[count] = '\0';
	return strstr(output, text) != NULL;
}

static void clear_log(void) {
	(void)log_has("");
	output[0] = '\0';
}

static uint64_t event(void) { return fake.fields[VMCS_ENTRY_INTERRUPTION]; }

#define PROTECTION_FAULT (EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 13)
#define INVALID_OPCODE (EVENT_VALID | EVENT_EXCEPTION | 6)

static void test_start(void) {
	fresh();
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], 0x1000200);
	CHECK_EQUAL(fake.registers[X86_RSI], 0x7000);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_EFER], 0x500);
	CHECK_EQUAL(fake.fields[VMCS_CR4_MASK] & CR4_PAE, 0);
	CHECK_EQUAL(fake.fields[VMCS_CR4_MASK] & CR4_VMXE, CR4_VMXE);
	CHECK_EQUAL(fake.states[VCPU_STATE_TSC_OFFSET], -1000000ull);
	CHECK_EQUAL(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_HLT_EXITING, PRIMARY_HLT_EXITING);
}

static void test_no_unrestricted(void) {
	fresh();
	clear_log();
	fake.secondary_allowed = ~(uint64_t)SECONDARY_UNRESTRICTED_GUEST;
	CHECK(!machine_reset(&machine));
	machine_settle(&machine);
	CHECK(!fake.running);
	CHECK(log_has("vmm: guest not started: the CPU has no unrestricted guest mode"));
}

static void test_cpuid(void) {
	fresh();
	fake.words[W_RAX] = 0x40000000;
	leave(EXIT_CPUID);
	CHECK_EQUAL(fake.registers[X86_RBX], 0x4b4d564b);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static void test_hot_path(void) {
	fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	unsigned reads = fake.field_reads, writes = fake.field_writes;
	wrmsr(0x6e0, 5000);
	CHECK_EQUAL(fake.armed, 1005000);
	wrmsr(0x6e0, 9000);
	CHECK_EQUAL(fake.timer_calls, 1); // later: the earlier time-out does
	wrmsr(0x80b, 0);
	CHECK_EQUAL(fake.field_reads, reads);
	CHECK_EQUAL(fake.field_writes, writes + 3); // the instruction pointer, kept by the library
	CHECK_EQUAL(fake.register_writes, 1); // at reset
}

static void test_timer(void) {
	fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, 5000);
	fake.tsc += 6000;
	machine.armed = CLOCK_NEVER;
	notify();
	CHECK_EQUAL(event(), EVENT_VALID | 0xec);
	CHECK_EQUAL(lapic_pending(&machine.lapic), LAPIC_NONE);
}

static void test_window(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED;
	lapic_receive(&machine.lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_WBINVD);
	CHECK_EQUAL(event() & EVENT_VALID, 0);
	CHECK(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_INTERRUPT;
	leave(EXIT_INTERRUPT_WINDOW);
	CHECK_EQUAL(event(), EVENT_VALID | 0x41);
	CHECK(!(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW));
}

static void test_shadow(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_MOV_SS;
	lapic_receive(&machine.lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_PREEMPTION_TIMER); // completes no instruction
	CHECK_EQUAL(event() & EVENT_VALID, 0);
	leave(EXIT_WBINVD); // completes one: the shadow is over
	CHECK_EQUAL(event(), EVENT_VALID | 0x41);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void test_hlt_race(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_STI; // STI; HLT
	lapic_receive(&machine.lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_HLT);
	CHECK(fake.running);
	CHECK_EQUAL(event(), EVENT_VALID | 0x41);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static void test_hlt_sleep(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	leave(EXIT_HLT);
	CHECK(!fake.running);
	notify();
	CHECK(!fake.running);
	lapic_receive(&machine.lapic, &(struct apic_message){.vector = 0x41});
	notify();
	CHECK(fake.running);
	CHECK_EQUAL(event(), EVENT_VALID | 0x41);
}

static void test_hlt_dead(void) {
	fresh();
	clear_log();
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED;
	leave(EXIT_HLT);
	CHECK(!fake.running);
	CHECK(log_has("halted with interrupts disabled"));
}

static void test_nmi(void) {
	fresh();
	machine.lapic.nmi_pending = true;
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_NMI;
	leave(EXIT_PAUSE);
	CHECK(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_NMI_WINDOW);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = 0;
	leave(EXIT_NMI_WINDOW);
	CHECK_EQUAL(event(), EVENT_VALID | EVENT_NMI | 2);
}

static void test_refused_instructions(void) {
	static const enum exit_reason reasons[] = {EXIT_VMCALL, EXIT_VMXON, EXIT_VMLAUNCH,
		EXIT_VMREAD, EXIT_VMWRITE, EXIT_INVEPT, EXIT_INVVPID, EXIT_VMFUNC, EXIT_GETSEC,
		EXIT_MWAIT, EXIT_MONITOR, EXIT_RSM, EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRST,
		EXIT_VMXOFF, EXIT_VMRESUME};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		fresh();
		leave(reasons[i]);
		CHECK_EQUAL(event(), INVALID_OPCODE);
		CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE);
		CHECK(fake.running);
	}
}

static void test_unknown_msr(void) {
	fresh();
	clear_log();
	fake.words[W_RCX] = 0xc0010015;
	leave(EXIT_RDMSR);
	CHECK_EQUAL(event(), PROTECTION_FAULT);
	CHECK(log_has("guest read unknown MSR c0010015"));
	for (unsigned i = 0; i < 100; i++)
		leave(EXIT_RDMSR);
	CHECK(log_has("further accesses of this kind are not reported"));
	CHECK(strlen(output) < 3000);
}

static void test_redelivery(void) {
	fresh();
	fake.fields[VMCS_EXIT_INTERRUPTION] = EVENT_VALID | EVENT_NMI | 2;
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_SOFTWARE_INTERRUPT | 0x80;
	leave(EXIT_EXCEPTION_OR_NMI);
	CHECK_EQUAL(event(), EVENT_VALID | EVENT_SOFTWARE_INTERRUPT | 0x80);
	CHECK_EQUAL(fake.states[VCPU_STATE_ENTRY_INSTRUCTION_LENGTH], 2);
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14;
	fake.fields[VMCS_IDT_VECTORING_ERROR_CODE] = 6;
	leave(EXIT_EXCEPTION_OR_NMI);
	CHECK_EQUAL(event(), EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14);
	CHECK_EQUAL(fake.fields[VMCS_ENTRY_ERROR_CODE], 6);
}

static void test_debug(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	lapic_acknowledge(&machine.lapic, 0x41);
	fake.fields[VMCS_EXIT_INTERRUPTION] = EVENT_VALID | EVENT_EXCEPTION | 1;
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_EXTERNAL | 0x41;
	fake.words[HOST_EXIT_QUALIFICATION] = 1 << 14;
	leave(EXIT_EXCEPTION_OR_NMI);
	CHECK_EQUAL(event(), EVENT_VALID | EVENT_EXCEPTION | 1);
	CHECK_EQUAL(fake.states[VCPU_STATE_DR6], 0xffff4ff0);
	CHECK_EQUAL(lapic_pending(&machine.lapic), 0x41); // not lost
}

static void test_single_step(void) {
	fresh();
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	leave(EXIT_WBINVD);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_PENDING_DEBUG], 1 << 14);
}

static void test_control_registers(void) {
	fresh();
	fake.words[W_RAX] = CR0_PE | CR0_PG | CR0_NE | CR0_CD;
	leave(EXIT_CONTROL_REGISTER);
	CHECK_EQUAL(fake.fields[VMCS_CR0_SHADOW], CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_ET);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_CR0], CR0_PE | CR0_PG | CR0_NE | CR0_ET);
	fake.words[W_RAX] = CR0_PG;
	leave(EXIT_CONTROL_REGISTER);
	CHECK_EQUAL(event(), PROTECTION_FAULT);
	fresh();
	fake.words[W_RAX] = CR4_VMXE | CR4_PAE;
	fake.words[HOST_EXIT_QUALIFICATION] = 4;
	leave(EXIT_CONTROL_REGISTER);
	CHECK_EQUAL(event(), PROTECTION_FAULT);
	fresh();
	fake.words[W_RBX] = 7;
	fake.words[HOST_EXIT_QUALIFICATION] = 8 | X86_RBX << 8;
	leave(EXIT_CONTROL_REGISTER);
	CHECK_EQUAL(machine.lapic.task_priority, 0x70);
	fake.words[HOST_EXIT_QUALIFICATION] = 8 | 1 << 4 | X86_RDX << 8;
	leave(EXIT_CONTROL_REGISTER);
	CHECK_EQUAL(fake.registers[X86_RDX], 7);
}

static void test_xsetbv(void) {
	static const uint64_t bad[] = {0, 2, 5, 6, 9, 0xe7, 1ull << 62 | 1};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh();
		fake.words[W_RAX] = (uint32_t)bad[i];
		fake.words[W_RDX] = bad[i] >> 32;
		leave(EXIT_XSETBV);
		CHECK_EQUAL(event(), PROTECTION_FAULT);
		CHECK_EQUAL(fake.states[VCPU_STATE_XCR0], 1);
	}
	fresh();
	fake.words[W_RAX] = 7;
	leave(EXIT_XSETBV);
	CHECK_EQUAL(fake.states[VCPU_STATE_XCR0], 7);
	fake.words[W_RCX] = 1;
	leave(EXIT_XSETBV);
	CHECK_EQUAL(event(), PROTECTION_FAULT);
}

// MMIO through the loader's identity page tables.
static void mmio(const char *code, unsigned length, uint64_t physical) {
	memcpy(machine.memory.bytes + CODE, code, length);
	fake.words[HOST_EXIT_PHYSICAL] = physical;
	fake.words[HOST_EXIT_QUALIFICATION] = 0x181;
	leave(EXIT_EPT_VIOLATION);
}

static void test_mmio(void) {
	fresh();
	fake.words[W_RAX] = ~0ull;
	mmio("\x8b\x03", 2, 0xfee00030);
	CHECK_EQUAL(fake.registers[X86_RAX], 0x50014);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	mmio("\xc7\x03\xff\x01\x00\x00", 6, 0xfee000f0);
	CHECK_EQUAL(machine.lapic.spurious, 0x1ff);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE + 6);
	mmio("\x81\x0b\x00\x00\x01\x00", 6, 0xfee00350); // OR
	mmio("\xf7\x03\x00\x00\x01\x00", 6, 0xfee00350); // TEST
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_ZERO, 0);
	fake.words[W_RCX] = 0xe0;
	mmio("\x87\x0b", 2, 0xfee00080); // XCHG
	CHECK_EQUAL(machine.lapic.task_priority, 0xe0);
	CHECK_EQUAL(fake.registers[X86_RCX], 0);
}

static void test_mmio_nothing(void) {
	fresh();
	clear_log();
	mmio("\x8a\x23", 2, 0xd0000000); // MOV AH, byte
	CHECK_EQUAL(fake.registers[X86_RAX], 0xff00);
	CHECK(log_has("guest touched address d0000000"));
	mmio("\x0f\x28\x03", 3, 0xfee00030);
	CHECK_EQUAL(event(), INVALID_OPCODE);
	CHECK(fake.running);
}

static void test_mmio_stops(void) {
	static const struct {
		uint64_t qualification, vectoring;
		const char *text;
	} rows[] = {
		{0x184, 0, "execution at address"},
		{0x081, 0, "page tables at address"},
		{0x181, EVENT_VALID | 14, "event delivery uses address"},
	};
	for (size_t i = 0; i < 3; i++) {
		fresh();
		clear_log();
		fake.fields[VMCS_IDT_VECTORING] = rows[i].vectoring;
		fake.words[HOST_EXIT_QUALIFICATION] = rows[i].qualification;
		fake.words[HOST_EXIT_PHYSICAL] = 0xd0000000;
		leave(EXIT_EPT_VIOLATION);
		CHECK(!fake.running);
		CHECK(log_has(rows[i].text));
	}
}

static void port(uint16_t number, uint64_t qualification, uint64_t rax) {
	fake.words[HOST_EXIT_QUALIFICATION] = qualification | (uint64_t)number << 16;
	fake.words[W_RAX] = rax;
	leave(EXIT_IO);
}

static void test_ports(void) {
	fresh();
	clear_log();
	port(0x3f8, 0, 'A');
	port(0x3f8, 0, '\n');
	CHECK(log_has("A\n"));
	CHECK_EQUAL(fake.console_signals, 1);
	port(0x3fd, 8, 0x1122334455667788);
	CHECK_EQUAL(fake.registers[X86_RAX], 0x1122334455667760);
	port(0x20, 8 | 1, 0x1122334455667788);
	CHECK_EQUAL(fake.registers[X86_RAX], 0x112233445566ffff);
	port(0xcfc, 8 | 3, 0x1122334455667788);
	CHECK_EQUAL(fake.registers[X86_RAX], 0xffffffff);
}

static void test_outs(void) {
	fresh();
	clear_log();
	memcpy(machine.memory.bytes + STACK, "string\n", 7);
	fake.words[W_RSI] = STACK;
	fake.words[W_RCX] = 7;
	fake.fields[VMCS_GUEST_LINEAR_ADDRESS] = STACK;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = 2 << 7;
	port(0x3f8, 0x30, 0);
	CHECK(log_has("string\n"));
	CHECK_EQUAL(fake.registers[X86_RSI], STACK + 7);
	CHECK_EQUAL(fake.registers[X86_RCX], 0);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static void test_ins_fault(void) {
	fresh();
	fake.words[W_RDI] = 5ull << 39;
	fake.words[W_RCX] = 3;
	fake.fields[VMCS_GUEST_LINEAR_ADDRESS] = 5ull << 39;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = 2 << 7;
	port(0x3fd, 0x38, 0);
	CHECK_EQUAL(event(), EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14);
	CHECK_EQUAL(fake.states[VCPU_STATE_CR2], 5ull << 39);
	CHECK_EQUAL(fake.fields[VMCS_ENTRY_ERROR_CODE], 2);
	CHECK_EQUAL(fake.registers[X86_RCX], 3);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], CODE);
}

static void test_console_interrupt(void) {
	fresh();
	lapic_register_write(&machine.lapic, 0xf, 0x1ff);
	ioapic_page.write(&machine.ioapic, 0, BUS_WIDTH_4, 0x18);
	ioapic_page.write(&machine.ioapic, 0x10, BUS_WIDTH_4, 0x34);
	port(0x3fc, 0, 8);
	port(0x3f9, 0, 1);
	leave(EXIT_HLT);
	CHECK(!fake.running);
	CHECK(ring_put(&console.in, 'k'));
	notify();
	CHECK(fake.running);
	CHECK_EQUAL(event(), EVENT_VALID | 0x34);
	port(0x3f8, 8, 0);
	CHECK_EQUAL(fake.registers[X86_RAX], 'k');
}

static void test_full_console(void) {
	fresh();
	clear_log();
	for (unsigned i = 0; i < RING_CAPACITY; i++)
		port(0x3f8, 0, 'x');
	port(0x3fd, 8, 0);
	CHECK_EQUAL(fake.registers[X86_RAX] & 0x60, 0);
	CHECK_EQUAL(fake.armed, 1000000 + 1000); // looks again after a millisecond
	clear_log();
	machine.armed = CLOCK_NEVER;
	notify();
	port(0x3fd, 8, 0);
	CHECK_EQUAL(fake.registers[X86_RAX] & 0x60, 0x60);
}

static void test_power(void) {
	fresh();
	clear_log();
	port(0x600, 0, 5 << 2 | 0x20);
	CHECK(!fake.running);
	CHECK(log_has("vmm: guest powered off"));
	fresh();
	clear_log();
	fake.tsc += 777;
	port(0xcf9, 0, 6);
	CHECK(fake.running);
	CHECK_EQUAL(fake.fields[VMCS_GUEST_RIP], 0x1000200);
	CHECK_EQUAL(machine.clock.offset, -1000777ull);
	CHECK(log_has("vmm: guest resets"));
}

static void test_stops(void) {
	static const struct {
		uint32_t reason;
		const char *text;
	} rows[] = {
		{EXIT_TRIPLE_FAULT, "guest stopped at 100000: triple fault"},
		{EXIT_ENTRY_GUEST_STATE, "VM entry failed, reason 33"},
		{EXIT_ENTRY_INSTRUCTION_FAILED, "VM entry refused, error 7"},
		{EXIT_TASK_SWITCH, "task switch"},
		{EXIT_EPT_MISCONFIGURATION, "EPT misconfiguration"},
		{69, "unexpected VM exit 69"},
		{1000, "unexpected VM exit 1000"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		clear_log();
		fake.fields[VMCS_INSTRUCTION_ERROR] = 7;
		leave((enum exit_reason)rows[i].reason);
		CHECK(!fake.running);
		CHECK(log_has(rows[i].text));
		machine_settle(&machine);
		CHECK(!fake.running);
	}
}

static uint64_t random_word(void) {
	static uint64_t seed = 42;
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 11 ^ seed << 40;
}

// A guest that does anything at all: the machine stays whole.
static void test_junk(void) {
	static const enum exit_reason reasons[] = {EXIT_IO, EXIT_RDMSR, EXIT_WRMSR,
		EXIT_EPT_VIOLATION, EXIT_CONTROL_REGISTER, EXIT_XSETBV, EXIT_CPUID, EXIT_HLT,
		EXIT_EXCEPTION_OR_NMI, EXIT_INTERRUPT_WINDOW};
	fresh();
	for (unsigned i = 0; i < 300000; i++) {
		for (unsigned k = 0; k < FAKE_WORDS; k++)
			fake.words[k] = random_word() >> random_word() % 64;
		fake.words[HOST_EXIT_ENTRY_INTERRUPTION] = 0;
		fake.fields[VMCS_GUEST_LINEAR_ADDRESS] = random_word() % (2 * RAM);
		fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = random_word();
		fake.fields[VMCS_GUEST_CS_ACCESS] = random_word();
		fake.fields[VMCS_IDT_VECTORING] = random_word() & random_word() & random_word();
		fake.fields[VMCS_EXIT_INTERRUPTION] = random_word();
		fake.words[HOST_EXIT_RIP] %= RAM;
		fake.words[HOST_EXIT_CR3] = random_word() % 3 ? 0x9000 : random_word();
		if (i % 4 == 0)
			fake.words[HOST_EXIT_PHYSICAL] = (i & 8 ? LAPIC_ADDRESS : IOAPIC_ADDRESS) +
				random_word() % 4096;
		for (unsigned k = 0; k < 16; k++)
			machine.memory.bytes[(fake.words[HOST_EXIT_RIP] + k) % RAM] =
				(uint8_t)random_word();
		fake.tsc += random_word() % 1000;
		machine.armed = CLOCK_NEVER;
		leave(reasons[random_word() % 10]);
		(void)ring_put(&console.in, (uint8_t)random_word());
		notify();
		if (i % 64 == 0) clear_log();
		// Page tables and images may be overwritten; a stopped machine starts anew.
		if (machine.vcpu.run == VCPU_STOPPED) {
			CHECK(machine_reset(&machine));
			machine_settle(&machine);
		}
	}
}

int main(void) {
	static const struct test tests[] = {
		{"machine.start", "the vCPU starts at the 64-bit entry point", test_start},
		{"machine.unrestricted", "a CPU without unrestricted guest is refused",
			test_no_unrestricted},
		{"exit.cpuid", "CPUID answers and is passed", test_cpuid},
		{"exit.hot_path", "timer and EOI writes need no field calls", test_hot_path},
		{"interrupt.timer", "an expired deadline is injected on notification", test_timer},
		{"interrupt.window", "a blocked interrupt waits for its window", test_window},
		{"interrupt.shadow", "the shadow of MOV SS is respected and ends", test_shadow},
		{"interrupt.hlt_race", "STI; HLT does not sleep through an interrupt",
			test_hlt_race},
		{"interrupt.hlt_sleep", "HLT gives the CPU away until an interrupt",
			test_hlt_sleep},
		{"interrupt.hlt_dead", "HLT with interrupts off stops the guest", test_hlt_dead},
		{"interrupt.nmi", "an NMI waits while NMIs are blocked", test_nmi},
		{"exit.refused", "VMX and hidden instructions get #UD", test_refused_instructions},
		{"exit.unknown_msr", "unknown MSRs get #GP and few lines", test_unknown_msr},
		{"exit.redelivery", "an interrupted delivery is repeated in full", test_redelivery},
		{"exit.debug", "#DB is passed on and an interrupt kept", test_debug},
		{"exit.single_step", "an emulated instruction traps under TF", test_single_step},
		{"exit.control", "CR0, CR4 and CR8 writes are checked", test_control_registers},
		{"exit.xsetbv", "XCR0 takes allowed values only", test_xsetbv},
		{"mmio.apic", "APIC accesses are decoded and performed", test_mmio},
		{"mmio.nothing", "absent memory reads ones, odd code gets #UD", test_mmio_nothing},
		{"mmio.stops", "what cannot be emulated stops the guest", test_mmio_stops},
		{"port.plain", "IN and OUT reach devices or nothing", test_ports},
		{"port.outs", "a repeated OUTS prints its string", test_outs},
		{"port.fault", "INS to an absent page raises the fault", test_ins_fault},
		{"console.input", "a key press wakes the guest", test_console_interrupt},
		{"console.full", "a full console holds the guest's transmitter", test_full_console},
		{"power.both", "power-off stops, reset starts afresh", test_power},
		{"machine.stops", "fatal exits print one line and stop", test_stops},
		{"machine.junk", "a guest that does anything harms nothing", test_junk},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));
	free(machine.memory.bytes);
	return status;
}
