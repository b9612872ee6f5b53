// SPDX-License-Identifier: BSD-2-Clause
// The machine of the tests: wired as main.c does it, with an empty kernel image.
#include "rig.h"

#include <vmm/host/log.h>

#include <stdlib.h>
#include <string.h>

enum { SETUP = 5 * 512 };

struct machine machine;
struct console console, second;
struct console_end driver, peer;
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

static void wire_port(unsigned index, struct console *rings, void (*signal)(void)) {
	struct terminal *terminal = &machine.terminals[index];
	struct uart *uart = &machine.uarts[index];
	*terminal = (struct terminal){.signal = signal};
	terminal_open(terminal, rings, "web", CONSOLE_INTERACTIVE);
	uart->line = (struct line){ioapic_pin_changed, &machine.ioapic, uart_pins[index], LINE_LOW};
	uart->backend = terminal_backend(terminal);
}

static void wire(void) {
	machine.clock = (struct clock){.read = host_tsc, .hertz = 1000000};
	machine.cpuid = (struct cpuid_model){host_cpuid, 7, 7, true, 1000000, SECONDARY_RDTSCP};
	machine.control = (struct control){
		&machine.memory, &machine.lapic, cpuid_cr4_allowed(&machine.cpuid), 7, 1};
	machine.msrs = (struct msr_file){.lapic = &machine.lapic, .clock = &machine.clock};
	machine.lapic.clock = &machine.clock;
	machine.lapic.ioapic = &machine.ioapic;
	machine.lapic.end_of_interrupt = ioapic_end_of_interrupt;
	machine.ioapic.destination = &machine.lapic;
	machine.ioapic.send = send;
	wire_port(0, &console, host_console_signal);
	wire_port(1, &second, host_peer_signal);
	check(console_serve(&driver, &console) && console_serve(&peer, &second));
	log_start("web", terminal_write, &machine.terminals[0]);
}

void rig_fresh(void) {
	uint8_t *ram = machine.memory.bytes;
	fake_reset();
	build_image();
	memset(&machine, 0, sizeof(machine));
	memset(&console, 0, sizeof(console));
	memset(&second, 0, sizeof(second));
	machine.memory = (struct guest_memory){ram != NULL ? ram : malloc(RAM), RAM, 40};
	memset(machine.memory.bytes, 0, RAM);
	machine.files.kernel = (struct linux_file){image, sizeof(image)};
	wire();
	check(bus_add(&machine.memory_bus, &lapic_page, &machine.lapic));
	check(bus_add(&machine.memory_bus, &ioapic_page, &machine.ioapic));
	for (unsigned i = 0; i < UART_COUNT; i++)
		check(bus_add(&machine.port_bus, &uart_ports[i], &machine.uarts[i]));
	check(bus_add(&machine.port_bus, &rtc_ports, &machine.rtc));
	check(bus_add(&machine.port_bus, &power_reset_port, &machine.power));
	check(bus_add(&machine.port_bus, &power_keyboard_port, &machine.power));
	check(bus_add(&machine.port_bus, &power_sleep_ports, &machine.power));
	rtc_start(&machine.rtc, &machine.clock, 0, 0);
	machine.armed = CLOCK_NEVER;
	check(machine_reset(&machine));
	machine_settle(&machine);
	check(fake.running);
	// Tests change registers in fake.words; the guest runs with interrupts on at CODE.
	memset(fake.words, 0, sizeof(fake.words));
	fake.words[HOST_EXIT_RIP] = CODE;
	fake.words[HOST_EXIT_RFLAGS] = RFLAGS_FIXED | RFLAGS_INTERRUPT;
	fake.words[HOST_EXIT_CR3] = fake.fields[VMCS_GUEST_CR3];
	fake.words[HOST_EXIT_LENGTH] = 2;
}

void leave(enum exit_reason reason) {
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

void notify(void) {
	vcpu_load_notification(&machine.vcpu);
	machine_poll_uarts(&machine);
	machine_settle(&machine);
}

void wrmsr(uint32_t number, uint64_t value) {
	fake.words[W_RCX] = number;
	fake.words[W_RAX] = (uint32_t)value;
	fake.words[W_RDX] = value >> 32;
	leave(EXIT_WRMSR);
}

bool log_has(const char *text) {
	size_t count = strlen(output);
	uint8_t byte;
	while (count < sizeof(output) - 1 && ring_get(&driver.out, &byte))
		output[count++] = (char)byte;
	output[count] = '\0';
	return strstr(output, text) != NULL;
}

void clear_log(void) {
	(void)log_has("");
	output[0] = '\0';
}

uint64_t event(void) { return fake.fields[VMCS_ENTRY_INTERRUPTION]; }

void port(uint16_t number, uint64_t qualification, uint64_t rax) {
	fake.words[HOST_EXIT_QUALIFICATION] = qualification | (uint64_t)number << 16;
	fake.words[W_RAX] = rax;
	leave(EXIT_IO);
}

size_t log_length(void) { return strlen(output); }

void rig_free(void) { free(machine.memory.bytes); }
