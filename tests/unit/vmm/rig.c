// SPDX-License-Identifier: BSD-2-Clause
// The machine of the tests: wired as main.c does it, with an empty kernel image.
#include "rig.h"

#include <vmm/command.h>
#include <vmm/host/log.h>

#include <stdlib.h>
#include <string.h>

enum { SETUP = 5 * 512 };

struct machine machine;
void (*rig_describe)(void);
struct vcpu *const vcpu = &machine.processors[0].vcpu;
struct lapic *const lapic = &machine.processors[0].lapic;
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

static void open_terminal(unsigned index, struct console *rings, enum host_channel channel) {
	machine.terminals[index].signal = host_signal;
	machine.terminals[index].context = host_context(channel);
	terminal_open(&machine.terminals[index], rings, "web", CONSOLE_INTERACTIVE);
}

// What main.c takes from the system description.
static void describe(void) {
	machine.clock = (struct clock){.read = host_tsc, .hertz = 1000000};
	machine.life.policy.on_reboot = true;
	machine.cpuid = (struct cpuid_model){host_cpuid, 7, 7, true, 1000000, VCPU_ALLOWS_RDTSCP};
	open_terminal(0, &console, HOST_CHANNEL_CONSOLE);
	open_terminal(1, &second, HOST_CHANNEL_PEER);
	check(console_serve(&driver, &console) && console_serve(&peer, &second));
	log_start("web", terminal_write, &machine.terminals[0]);
	if (rig_describe) rig_describe();
}

void rig_fresh(void) {
	uint8_t *ram = machine.memory.bytes;

	fake_reset();
	build_image();
	memset(&machine, 0, sizeof(machine));
	memset(&console, 0, sizeof(console));
	memset(&second, 0, sizeof(second));
	machine.memory = (struct guest_memory){ram ? ram : malloc(RAM), RAM, 40};
	memset(machine.memory.bytes, 0, RAM);
	machine.files.kernel = (struct linux_file){image, sizeof(image)};
	describe();
	check(machine_build(&machine));
	rtc_start(&machine.rtc, &machine.clock, 0, 0);
	check(machine_reset(&machine));
	machine_settle(&machine);
	check(fake.running || machine.reset_due);
	if (machine.reset_due) return;
	// Tests change what the next exit finds; the guest runs with interrupts on at CODE.
	fake_take();
	fake.exit.rip = CODE;
	fake.exit.rflags = FLAGS_FIXED | FLAGS_IF;
	fake.exit.cr3 = fake.guest.cr3;
	fake.exit.instruction_length = 2;
}

void leave(enum vcpu_exit_reason reason) {
	fake_leave(reason);
	exit_handle(&machine.processors[0]);
	machine_settle(&machine);
	fake_take();
}

void notify(unsigned channel) {
	// The kernel looks for signals before it enters the guest.
	if (fake.running) fake.page.reason = VCPU_EXIT_NOTIFICATION;
	if (!machine_is_stopped(&machine)) vcpu_left(vcpu);
	machine_notified(&machine, channel);
	command_take_all(&machine);
	machine_settle(&machine);
	fake_take();
}

void wrmsr(uint32_t number, uint64_t value) {
	fake.exit.registers[X86_RCX] = number;
	fake.exit.registers[X86_RAX] = (uint32_t)value;
	fake.exit.registers[X86_RDX] = value >> 32;
	leave(VCPU_EXIT_WRMSR);
}

bool log_has(const char *text) {
	size_t count = strlen(output);
	uint8_t byte;

	while (count < sizeof(output) - 1 && ring_get(&driver.out, &byte))
		output[count++] = (char)byte;
	output[count] = '\0';
	return strstr(output, text);
}

void clear_log(void) {
	(void)log_has("");
	output[0] = '\0';
}

uint64_t event(void) { return fake.guest.event.information; }

void port(uint16_t number, uint64_t qualification, uint64_t rax) {
	fake.exit.qualification = qualification | (uint64_t)number << 16;
	fake.exit.registers[X86_RAX] = rax;
	leave(VCPU_EXIT_IO);
}

size_t log_length(void) { return strlen(output); }

void rig_free(void) { free(machine.memory.bytes); }
