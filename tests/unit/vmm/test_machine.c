// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the whole machine on a fake host: start, interrupts, time, console, power.
#include "rig.h"

#include <string.h>

static void host_without_speculation(uint32_t, uint32_t, uint32_t words[4]) {
	memset(words, 0, 4 * sizeof(words[0]));
}

// The kernel is asked for no register that it would refuse.
static void test_speculation(void) {
	rig_fresh();
	check_equal(fake.speculation_msrs, 1); // this host has IBPB, and no SPEC_CTRL for guests
	machine.cpuid.host = host_without_speculation;
	check(machine_reset(&machine));
	check_equal(fake.speculation_msrs, 1);
}

static void test_start(void) {
	rig_fresh();
	check_equal(fake.guest.rip, 0x1000200);
	check_equal(fake.guest.registers[X86_RSI], 0x7000);
	check_equal(fake.guest.efer, 0x500);
	check_equal(fake.guest.cr4_mask & CR4_PAE, 0);
	check_equal(fake.guest.cr4_mask & (CR4_VMXE | CR4_MCE), CR4_VMXE | CR4_MCE);
	check_equal(fake.guest.tsc_offset, -1000000ull);
	check(fake.guest.controls & VCPU_EXITS_HLT);
}

static void test_no_unrestricted(void) {
	rig_fresh();
	clear_log();
	fake.page.controls_offered &= ~VCPU_ALLOWS_REAL_MODE;
	check(!machine_reset(&machine));
	machine_settle(&machine);
	check(!fake.running);
	check(log_has("vmm web: guest not started: the CPU has no unrestricted guest mode"));
}

// Nothing that a guest does often takes a system call besides the one that runs it.
static void test_one_entry(void) {
	static const char store[] = "\x89\x03", load[] = "\x8b\x03"; // [rbx], EAX
	static const enum vcpu_exit_reason plain[] = {VCPU_EXIT_CPUID, VCPU_EXIT_HLT,
		VCPU_EXIT_RDMSR, VCPU_EXIT_INTERRUPT_WINDOW, VCPU_EXIT_NMI_WINDOW, VCPU_EXIT_TIMER,
		VCPU_EXIT_PAUSE, VCPU_EXIT_WBINVD, VCPU_EXIT_INVD};

	rig_fresh();
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x832, 0x400ec);
	fake.saves = 0;
	wrmsr(0x6e0, 5000);
	wrmsr(0x80b, 0);
	port(0x3f8, 0, 'x');
	port(0x3fd, VCPU_IO_IN, 0);
	fake.exit.registers[X86_RCX] = 0x6e0;
	for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		fake.exit.registers[X86_RAX] = i;
		lapic->nmi_pending = true; // HLT does not wait
		leave(plain[i]);
		check(fake.running);
	}
	fake.exit.registers[X86_RAX] = CR4_PAE | CR4_MCE;
	fake.exit.qualification = 4;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	fake.exit.qualification = 0x181;
	fake.exit.physical = fake.exit.registers[X86_RBX] = IOAPIC_ADDRESS;
	memcpy(machine.memory.bytes + CODE, store, 2);
	leave(VCPU_EXIT_MEMORY);
	memcpy(machine.memory.bytes + CODE, load, 2);
	leave(VCPU_EXIT_MEMORY);
	check_equal(fake.saves, 0);
	check_equal(fake.timer_calls, 0);
	check_equal(fake.signals[HOST_CHANNEL_CONSOLE], 0);
}

static void test_window(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.exit.rflags = FLAGS_FIXED;
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(VCPU_EXIT_WBINVD);
	check_equal(event() & VCPU_EVENT_VALID, 0);
	check(fake.guest.windows & VCPU_WINDOW_INTERRUPT);
	fake.exit.rflags |= FLAGS_IF;
	leave(VCPU_EXIT_INTERRUPT_WINDOW);
	check_equal(event(), VCPU_EVENT_VALID | 0x41);
	check(!(fake.guest.windows & VCPU_WINDOW_INTERRUPT));
}

static void test_shadow(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.exit.interruptibility = VCPU_BLOCKED_BY_MOV_SS;
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(VCPU_EXIT_TIMER); // completes no instruction
	check_equal(event() & VCPU_EVENT_VALID, 0);
	leave(VCPU_EXIT_WBINVD); // completes one: the shadow is over
	check_equal(event(), VCPU_EVENT_VALID | 0x41);
	check_equal(fake.guest.interruptibility, 0);
}

static void test_hlt_race(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	fake.exit.interruptibility = VCPU_BLOCKED_BY_STI; // STI; HLT
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	leave(VCPU_EXIT_HLT);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | 0x41);
	check_equal(fake.guest.rip, CODE + 2);
}

static void test_hlt_sleep(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	notify(HOST_CHANNEL_TIMER);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | 0x41);
}

static void test_hlt_dead(void) {
	rig_fresh();
	clear_log();
	fake.exit.rflags = FLAGS_FIXED;
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	check(log_has("halted with interrupts disabled"));
}

static void test_nmi(void) {
	rig_fresh();
	lapic->nmi_pending = true;
	leave(VCPU_EXIT_PAUSE);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
	lapic->nmi_pending = true;
	fake.exit.interruptibility = VCPU_BLOCKED_BY_NMI;
	leave(VCPU_EXIT_PAUSE);
	check(fake.guest.windows & VCPU_WINDOW_NMI);
	fake.exit.interruptibility = 0;
	leave(VCPU_EXIT_NMI_WINDOW);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
}

static void test_console_interrupt(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x18);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x34);
	port(0x3fc, 0, 8);
	port(0x3f9, 0, 1);
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	check(ring_put(&driver.in, &(uint8_t){'k'}));
	notify(HOST_CHANNEL_CONSOLE);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | 0x34);
	port(0x3f8, 8, 0);
	check_equal(fake.guest.registers[X86_RAX], 'k');
}

// The second serial port reaches its own component and its own pin, and no other.
static void test_second_port(void) {
	uint8_t byte = 0;

	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x16);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x33);
	port(0x2fc, 0, 8);
	port(0x2f9, 0, 1);
	unsigned console_signals = fake.signals[HOST_CHANNEL_CONSOLE];

	port(0x2f8, 0, '\n');
	check(ring_get(&peer.out, &byte) && byte == '\n');
	check_equal(fake.signals[HOST_CHANNEL_PEER], 1);
	check_equal(fake.signals[HOST_CHANNEL_CONSOLE], console_signals);
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	check(ring_put(&peer.in, &(uint8_t){'p'}));
	notify(HOST_CHANNEL_CONSOLE); // another port's
	check(!fake.running);
	notify(HOST_CHANNEL_PEER);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | 0x33);
	port(0x3fd, 8, 0);
	check_equal(fake.guest.registers[X86_RAX] & 1, 0);
	port(0x2f8, 8, 0);
	check_equal(fake.guest.registers[X86_RAX], 'p');
}

static void test_port_without_component(void) {
	rig_fresh();
	machine.terminals[1].connected = false;
	for (unsigned i = 0; i < 2 * CONSOLE_CAPACITY; i++)
		port(0x2f8, 0, 'x');
	port(0x2fd, 8, 0);
	check_equal(fake.guest.registers[X86_RAX] & 0xff, 0x60);
	check_equal(fake.signals[HOST_CHANNEL_PEER], 0);
}

static void test_full_console(void) {
	rig_fresh();
	clear_log();
	for (unsigned i = 0; i < CONSOLE_CAPACITY; i++)
		port(0x3f8, 0, 'x');
	port(0x3fd, 8, 0);
	check_equal(fake.guest.registers[X86_RAX] & 0x60, 0);
	check_equal(fake.guest.timer, 1000); // looks again after a millisecond
	clear_log();
	leave(VCPU_EXIT_TIMER);
	port(0x3fd, 8, 0);
	check_equal(fake.guest.registers[X86_RAX] & 0x60, 0x60);
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
	check_equal(fake.guest.rip, 0x1000200);
	check_equal(machine.processors[0].clock.offset, -1000777ull);
	check(log_has("vmm web: guest resets"));
}

static uint64_t random_word(void) {
	static uint64_t seed = 42;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 11 ^ seed << 40;
}

// A guest that does anything at all: the machine stays whole.
// What the guest reads of a function's first register, by ports.
static uint32_t pci_identity_of(unsigned slot) {
	port(0xcf8, 3, 0x80000000 | slot << 11);
	port(0xcfc, 3 | VCPU_IO_IN, 0);
	return (uint32_t)fake.guest.registers[X86_RAX];
}

static void test_pci(void) {
	rig_fresh();
	check_equal(pci_identity_of(0), 0x00081b36);
	check_equal(bus_read(&machine.memory_bus, PCI_ECAM_BASE, BUS_WIDTH_4), 0x00081b36);
	// No device was described.
	for (unsigned i = 1; i < PCI_SLOTS; i++)
		check_equal(pci_identity_of(i), 0xffffffff);
	// Its lines are the I/O APIC's, and a reset lowers them.
	pci_interrupt(&machine.pci.bridge, true);
	check_equal(machine.ioapic.levels, 1u << PCI_PIN_BASE);
	check(machine_reset(&machine));
	check_equal(machine.ioapic.levels, 0);
	check_equal(machine.pci.address, 0);
}

static void test_junk(void) {
	static const enum vcpu_exit_reason reasons[] = {VCPU_EXIT_IO, VCPU_EXIT_RDMSR,
		VCPU_EXIT_WRMSR, VCPU_EXIT_MEMORY, VCPU_EXIT_CONTROL_REGISTER, VCPU_EXIT_XSETBV,
		VCPU_EXIT_CPUID, VCPU_EXIT_HLT, VCPU_EXIT_EXCEPTION, VCPU_EXIT_INTERRUPT_WINDOW};

	rig_fresh();
	for (unsigned i = 0; i < 300000; i++) {
		for (unsigned k = 0; k < VCPU_GENERAL_REGISTERS; k++)
			fake.exit.registers[k] = random_word() >> random_word() % 64;
		fake.exit.qualification = random_word() >> random_word() % 64;
		fake.exit.physical = random_word() >> random_word() % 64;
		fake.exit.rflags = random_word() >> random_word() % 64;
		fake.exit.interruptibility = (uint32_t)random_word();
		fake.exit.instruction_length = (uint32_t)random_word() % 16;
		fake.exit.linear = random_word() % (2 * RAM);
		fake.exit.instruction_information = (uint32_t)(random_word());
		fake.guest.segments[VCPU_CS].attributes = (uint16_t)(random_word());
		fake.exit.interrupted.information = (uint32_t)(random_word() & random_word() &
			random_word());
		fake.exit.exception.information = (uint32_t)(random_word());
		fake.exit.rip %= RAM;
		fake.exit.cr3 = random_word() % 3 ? 0x9000 : random_word();
		if (i % 4 == 0)
			fake.exit.physical = (i & 8 ? LAPIC_ADDRESS : IOAPIC_ADDRESS) +
				random_word() % 4096;
		for (unsigned k = 0; k < 16; k++)
			machine.memory.bytes[(fake.exit.rip + k) % RAM] = (uint8_t)random_word();
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
		{"machine.speculation", "registers that a CPU lacks are not asked for",
			test_speculation},
		{"machine.unrestricted", "a CPU without unrestricted guest is refused",
			test_no_unrestricted},
		{"exit.one_entry", "frequent exits take one system call each", test_one_entry},
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
		{"machine.pci", "there is a PCI bus, with or without devices", test_pci},
		{"machine.junk", "a guest that does anything harms nothing", test_junk},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
