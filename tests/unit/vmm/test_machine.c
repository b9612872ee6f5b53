// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the whole machine on a fake host: start, interrupts, time, console, power.
#include "rig.h"

#include <abi/vcpu.h>

#include <string.h>

static void test_start(void) {
	rig_fresh();
	check_equal(fake.fields[VMCS_GUEST_RIP], 0x1000200);
	check_equal(fake.registers[X86_RSI], 0x7000);
	check_equal(fake.fields[VMCS_GUEST_EFER], 0x500);
	check_equal(fake.fields[VMCS_CR4_MASK] & CR4_PAE, 0);
	check_equal(fake.fields[VMCS_CR4_MASK] & (CR4_VMXE | CR4_MCE), CR4_VMXE | CR4_MCE);
	check_equal(fake.states[VCPU_STATE_TSC_OFFSET], -1000000ull);
	check_equal(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_HLT_EXITING, PRIMARY_HLT_EXITING);
}

static void test_no_unrestricted(void) {
	rig_fresh();
	clear_log();
	fake.secondary_allowed = ~(uint64_t)SECONDARY_UNRESTRICTED_GUEST;
	check(!machine_reset(&machine));
	machine_settle(&machine);
	check(!fake.running);
	check(log_has("vmm web: guest not started: the CPU has no unrestricted guest mode"));
}

static void test_hot_path(void) {
	rig_fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	unsigned reads = fake.field_reads, writes = fake.field_writes;
	wrmsr(0x6e0, 5000);
	check_equal(fake.armed, 1005000);
	wrmsr(0x6e0, 9000);
	check_equal(fake.timer_calls, 1); // later: the earlier time-out does
	wrmsr(0x80b, 0);
	check_equal(fake.field_reads, reads);
	check_equal(fake.field_writes, writes + 3); // the instruction pointer, kept by the library
	check_equal(fake.register_writes, 1); // at reset
}

static void test_timer(void) {
	rig_fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, 5000);
	fake.tsc += 6000;
	notify(HOST_CHANNEL_TIMER);
	check_equal(event(), EVENT_VALID | 0xec);
	check_equal(lapic_pending(lapic), LAPIC_NONE);
}

static void test_restart(void) {
	rig_fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, 5000);
	machine_stop(&machine.processors[0], "test");
	machine_settle(&machine);
	check(!fake.running);
	fake.tsc += 1000000; // the time-out ends, and nobody looks
	check(machine_restart(&machine));
	machine_settle(&machine);
	check(fake.running);
	fake.armed = 0;
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, 5000);
	check_equal(fake.armed, fake.tsc + 5000);
}

static void test_far_timer(void) {
	rig_fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, ~0ull - 5); // beyond the host's counter
	check_equal(fake.timer_calls, 0);
	wrmsr(0x832, 0x200ec);
	wrmsr(0x83e, 11);
	wrmsr(0x838, 1); // a tick at every tick
	check_equal(fake.timer_calls, 1);
	check_equal(fake.armed, 1000000 + 20);
}

static void test_window(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED;
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_WBINVD);
	check_equal(event() & EVENT_VALID, 0);
	check(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_INTERRUPT;
	leave(EXIT_INTERRUPT_WINDOW);
	check_equal(event(), EVENT_VALID | 0x41);
	check(!(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW));
}

static void test_shadow(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_MOV_SS;
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_PREEMPTION_TIMER); // completes no instruction
	check_equal(event() & EVENT_VALID, 0);
	leave(EXIT_WBINVD); // completes one: the shadow is over
	check_equal(event(), EVENT_VALID | 0x41);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void test_hlt_race(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_STI; // STI; HLT
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(EXIT_HLT);
	check(fake.running);
	check_equal(event(), EVENT_VALID | 0x41);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static void test_hlt_sleep(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	leave(EXIT_HLT);
	check(!fake.running);
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	notify(HOST_CHANNEL_TIMER);
	check(fake.running);
	check_equal(event(), EVENT_VALID | 0x41);
}

static void test_hlt_dead(void) {
	rig_fresh();
	clear_log();
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED;
	leave(EXIT_HLT);
	check(!fake.running);
	check(log_has("halted with interrupts disabled"));
}

static void test_nmi(void) {
	rig_fresh();
	lapic->nmi_pending = true;
	leave(EXIT_PAUSE);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
	lapic->nmi_pending = true;
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_NMI;
	leave(EXIT_PAUSE);
	check(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_NMI_WINDOW);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = 0;
	leave(EXIT_NMI_WINDOW);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
}

static void test_console_interrupt(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x18);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x34);
	port(0x3fc, 0, 8);
	port(0x3f9, 0, 1);
	leave(EXIT_HLT);
	check(!fake.running);
	check(ring_put(&driver.in, &(uint8_t){'k'}));
	notify(HOST_CHANNEL_CONSOLE);
	check(fake.running);
	check_equal(event(), EVENT_VALID | 0x34);
	port(0x3f8, 8, 0);
	check_equal(fake.registers[X86_RAX], 'k');
}

// The second serial port reaches its own component and its own pin, and nobody else hears of it.
static void test_second_port(void) {
	uint8_t byte = 0;
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x16);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x33);
	port(0x2fc, 0, 8);
	port(0x2f9, 0, 1);
	unsigned console_signals = fake.console_signals;
	port(0x2f8, 0, '\n');
	check(ring_get(&peer.out, &byte) && byte == '\n');
	check_equal(fake.peer_signals, 1);
	check_equal(fake.console_signals, console_signals);
	leave(EXIT_HLT);
	check(!fake.running);
	check(ring_put(&peer.in, &(uint8_t){'p'}));
	notify(HOST_CHANNEL_CONSOLE); // another port's
	check(!fake.running);
	notify(HOST_CHANNEL_PEER);
	check(fake.running);
	check_equal(event(), EVENT_VALID | 0x33);
	port(0x3fd, 8, 0);
	check_equal(fake.registers[X86_RAX] & 1, 0);
	port(0x2f8, 8, 0);
	check_equal(fake.registers[X86_RAX], 'p');
}

static void test_port_without_component(void) {
	rig_fresh();
	machine.terminals[1].connected = false;
	for (unsigned i = 0; i < 2 * CONSOLE_CAPACITY; i++)
		port(0x2f8, 0, 'x');
	port(0x2fd, 8, 0);
	check_equal(fake.registers[X86_RAX] & 0xff, 0x60);
	check_equal(fake.peer_signals, 0);
}

static void test_full_console(void) {
	rig_fresh();
	clear_log();
	for (unsigned i = 0; i < CONSOLE_CAPACITY; i++)
		port(0x3f8, 0, 'x');
	port(0x3fd, 8, 0);
	check_equal(fake.registers[X86_RAX] & 0x60, 0);
	check_equal(fake.armed, 1000000 + 1000); // looks again after a millisecond
	clear_log();
	notify(HOST_CHANNEL_TIMER);
	port(0x3fd, 8, 0);
	check_equal(fake.registers[X86_RAX] & 0x60, 0x60);
}

static void test_power(void) {
	rig_fresh();
	clear_log();
	port(0x600, 0, 5 << 2 | 0x20);
	check(!fake.running);
	check(log_has("vmm web: guest powered off"));
	rig_fresh();
	clear_log();
	fake.tsc += 777;
	port(0xcf9, 0, 6);
	check(fake.running);
	check_equal(fake.fields[VMCS_GUEST_RIP], 0x1000200);
	check_equal(machine.processors[0].clock.offset, -1000777ull);
	check(log_has("vmm web: guest resets"));
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
	rig_fresh();
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
		leave(reasons[random_word() % 10]);
		(void)ring_put(&driver.in, &(uint8_t){(uint8_t)random_word()});
		notify((unsigned)random_word() % (HOST_CHANNELS + 1));
		if (i % 64 == 0) clear_log();
		// Page tables and images may be overwritten; a stopped machine starts anew.
		if (vcpu->run == VCPU_STOPPED) {
			check(machine_reset(&machine));
			machine_settle(&machine);
		}
	}
}

int main(void) {
	static const struct test tests[] = {
		{"machine.start", "the vCPU starts at the 64-bit entry point", test_start},
		{"machine.unrestricted", "a CPU without unrestricted guest is refused",
			test_no_unrestricted},
		{"exit.hot_path", "timer and EOI writes need no field calls", test_hot_path},
		{"interrupt.timer", "an expired deadline is injected on notification", test_timer},
		{"machine.restart", "a guest that stopped starts again, with its timer",
			test_restart},
		{"interrupt.far_timer", "absurd deadlines neither wrap nor flood", test_far_timer},
		{"interrupt.window", "a blocked interrupt waits for its window", test_window},
		{"interrupt.shadow", "the shadow of MOV SS is respected and ends", test_shadow},
		{"interrupt.hlt_race", "STI; HLT does not sleep through an interrupt",
			test_hlt_race},
		{"interrupt.hlt_sleep", "HLT gives the CPU away until an interrupt",
			test_hlt_sleep},
		{"interrupt.hlt_dead", "HLT with interrupts off stops the guest", test_hlt_dead},
		{"interrupt.nmi", "an NMI waits while NMIs are blocked", test_nmi},
		{"console.input", "a key press wakes the guest", test_console_interrupt},
		{"port.second", "the second serial port leads to a component", test_second_port},
		{"port.empty", "a serial port without component swallows its output",
			test_port_without_component},
		{"console.full", "a full console holds the guest's transmitter", test_full_console},
		{"power.both", "power-off stops, reset starts afresh", test_power},
		{"machine.junk", "a guest that does anything harms nothing", test_junk},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));
	rig_free();
	return status;
}
