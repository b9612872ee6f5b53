// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the guest's life: policies, back-off, and commands of controllers that may write
// anything into their pages.
#include "rig.h"

#include <vmm/command.h>

#include <string.h>

enum { SECOND = 1000000 }; // the rig's clock

static struct guest_control pages[MACHINE_CONTROLLERS];
static struct life_policy policy;
static unsigned signals;

static void signal(void *) { signals++; }

static void describe(void) {
	static const char *const names[MACHINE_CONTROLLERS] = {"the terminal", "its controller"};

	memset(pages, 0, sizeof(pages));
	machine.devices.watchdog.clock = &machine.device_clock;
	machine.life.policy = policy;
	for (unsigned i = 0; i < MACHINE_CONTROLLERS; i++) {
		machine.controllers[i] = (struct controller){.name = names[i], .signal = signal};
		controller_open(&machine.controllers[i], &pages[i]);
	}
}

static void start(const struct life_policy *wanted) {
	policy = *wanted;
	rig_describe = describe;
	rig_fresh();
	clear_log();
	signals = 0;
}

static unsigned state(unsigned page) { return pages[page].status & 0xff; }
static unsigned cause(unsigned page) { return pages[page].status >> GUEST_STATUS_CAUSE & 0xff; }
static unsigned changes(void) { return (uint16_t)(pages[1].status >> GUEST_STATUS_CHANGES); }
static unsigned restarts(void) { return (unsigned)(pages[1].status >> GUEST_STATUS_RESTARTS); }

// Sends a command as a controller does; its result.
static unsigned command(unsigned page, unsigned number) {
	struct guest_control *control = &pages[page];

	control->command = number;
	control->request++;
	notify(page == 0 ? HOST_CHANNEL_CONSOLE : HOST_CHANNEL_CONTROL);
	check_equal(control->answer, control->request);
	return control->result;
}

static void crash(void) { leave(VCPU_EXIT_TRIPLE_FAULT); }

// The timer driver wakes the monitor at the time that it has asked for.
static void time_out(void) {
	check(fake.armed > fake.tsc);
	fake.tsc = fake.armed - 1;
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running);
	fake.tsc++;
	notify(HOST_CHANNEL_TIMER);
}

static void test_usual_policy(void) {
	start(&(struct life_policy){.on_reboot = true});
	check_equal(state(0), GUEST_RUNNING);
	check_equal(cause(1), GUEST_BY_BOOT);
	for (unsigned i = 0; i < 20; i++)
		port(0xcf9, 0, 6);
	check(fake.running && state(1) == GUEST_RUNNING && cause(1) == GUEST_BY_REBOOT);
	check_equal(restarts(), 20);
	check(log_has("guest resets; it starts again"));
	crash();
	check(!fake.running && state(1) == GUEST_CRASHED && cause(1) == GUEST_BY_FAULT);
	check(log_has("triple fault; it stays stopped"));
	start(&(struct life_policy){.on_reboot = true});
	port(0x600, 0, 5 << 2 | 0x20);
	check(!fake.running && state(0) == GUEST_OFF && cause(0) == GUEST_BY_POWEROFF);
	check(log_has("guest powered off; it stays off"));
}

static void test_reboot_stops(void) {
	start(&(struct life_policy){0});
	port(0xcf9, 0, 6);
	check(!fake.running && state(1) == GUEST_STOPPED && cause(1) == GUEST_BY_REBOOT);
	check(log_has("guest resets; it stays stopped"));
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running);
}

// Each wait is twice the one before, as far as 64 times the first; then the limit ends it.
static void test_backoff(void) {
	enum { LIMIT = 8 };
	static const unsigned factors[LIMIT] = {1, 2, 4, 8, 16, 32, 64, 64};

	start(&(struct life_policy){.on_crash = true, .limit = LIMIT, .backoff = 200000});
	for (unsigned i = 0; i < LIMIT; i++) {
		crash();
		check(!fake.running && state(1) == GUEST_RESTARTING);
		check_equal(fake.armed - fake.tsc, factors[i] * 200000ull);
		time_out();
		check(fake.running && state(1) == GUEST_RUNNING && cause(1) == GUEST_BY_FAULT);
		check_equal(fake.guest.rip, 0x1000200);
	}
	check(log_has("triple fault; restart 1 of 8 in 200 ms"));
	check(log_has("triple fault; restart 8 of 8 in 12800 ms"));
	crash();
	check(!fake.running && state(1) == GUEST_CRASHED);
	check(log_has("it stays stopped: all 8 restarts are used up"));
	// A command begins anew.
	check_equal(command(1, GUEST_RESET), GUEST_DONE);
	check(fake.running && cause(1) == GUEST_BY_COMMAND);
	crash();
	check_equal(fake.armed - fake.tsc, 200000);
	check_equal(restarts(), LIMIT + 1);
}

static void test_reset_in_backoff(void) {
	start(&(struct life_policy){.on_poweroff = true, .limit = 5, .backoff = SECOND});
	port(0x600, 0, 5 << 2 | 0x20);
	check(log_has("guest powered off; restart 1 of 5 in 1000 ms"));
	check_equal(command(1, GUEST_PAUSE), GUEST_REFUSED);
	check_equal(command(1, GUEST_RESET), GUEST_DONE);
	check(fake.running);
	port(0x600, 0, 5 << 2 | 0x20);
	check_equal(command(1, GUEST_STOP), GUEST_DONE);
	fake.tsc += 100 * SECOND;
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running && state(0) == GUEST_STOPPED && cause(0) == GUEST_BY_COMMAND);
	check_equal(command(0, GUEST_STOP), GUEST_REFUSED);
	check_equal(command(0, GUEST_NMI), GUEST_REFUSED);
	check_equal(command(0, GUEST_POWER_BUTTON), GUEST_REFUSED);
	check_equal(command(0, GUEST_RESUME), GUEST_REFUSED);
	check(log_has("guest stopped by its controller") && log_has("has stopped already"));
}

static void start_timer(uint64_t deadline) {
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
	wrmsr(0x6e0, deadline);
}

// Time stands still, and what was due comes after it.
static void test_pause(void) {
	start(&(struct life_policy){.on_reboot = true});
	start_timer(5000);
	uint64_t then = clock_now(&machine.processors[0].clock);
	unsigned before = changes();

	check_equal(command(1, GUEST_PAUSE), GUEST_DONE);
	check(!fake.running && state(0) == GUEST_PAUSED && state(1) == GUEST_PAUSED);
	check_equal(command(0, GUEST_PAUSE), GUEST_REFUSED);
	fake.tsc += 10 * SECOND;
	notify(HOST_CHANNEL_TIMER);
	check(ring_put(&driver.in, &(uint8_t){'k'}));
	notify(HOST_CHANNEL_CONSOLE);
	check(!fake.running);
	check_equal(event() & VCPU_EVENT_VALID, 0);
	check_equal(command(0, GUEST_RESUME), GUEST_DONE);
	check(fake.running && state(1) == GUEST_RUNNING);
	check_equal(changes(), before + 2);
	check_equal(fake.guest.tsc_offset, machine.processors[0].clock.offset);
	check_equal(clock_now(&machine.processors[0].clock), then);
	check_equal(machine.processors[0].msrs.paravirtual_clock.start +
			machine.processors[0].clock.offset,
		0);
	fake.tsc += 5000;
	leave(VCPU_EXIT_TIMER);
	check_equal(event(), VCPU_EVENT_VALID | 0xec);
	port(0x3f8, 8, 0);
	check_equal(fake.guest.registers[X86_RAX], 'k');
	check(log_has("guest paused by its controller") &&
		log_has("guest resumed by the terminal"));
}

static void configure(unsigned slot, unsigned offset, enum bus_width width, uint32_t value) {
	bus_write(&machine.memory_bus, PCI_ECAM_BASE + (slot << 15) + offset, width, value);
}

// Two stages of a second each, nearly.
static void start_watchdog(void) {
	enum { SLOT = 29, BASE = 0xc0000000 };
	struct bus *bus = &machine.memory_bus;

	configure(SLOT, PCI_REGISTER_BAR, BUS_WIDTH_4, BASE);
	configure(SLOT, PCI_REGISTER_COMMAND, BUS_WIDTH_2, PCI_COMMAND_MEMORY);
	for (unsigned i = 0; i < WATCHDOG_STAGES; i++) {
		bus_write(bus, BASE + WATCHDOG_RELOAD, BUS_WIDTH_2, WATCHDOG_UNLOCK_FIRST);
		bus_write(bus, BASE + WATCHDOG_RELOAD, BUS_WIDTH_2, WATCHDOG_UNLOCK_SECOND);
		bus_write(bus, BASE + WATCHDOG_PRELOAD + 4 * i, BUS_WIDTH_4, 1007);
	}
	configure(SLOT, WATCHDOG_LOCK, BUS_WIDTH_1, WATCHDOG_LOCK_ENABLE);
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
}

// Wakes the monitor at the times that it asks for, until `end`.
static void run_until(uint64_t end) {
	while (fake.armed > fake.tsc && fake.armed <= end) {
		fake.tsc = fake.armed;
		notify(HOST_CHANNEL_TIMER);
	}
	fake.tsc = end;
	notify(HOST_CHANNEL_TIMER);
}

static void test_watchdog(void) {
	start(&(struct life_policy){.on_watchdog = true, .limit = 2, .backoff = 200000});
	start_watchdog();
	run_until(fake.tsc + 3 * SECOND);
	check(fake.running && state(1) == GUEST_RUNNING && cause(1) == GUEST_BY_WATCHDOG);
	check(log_has("guest reset by its watchdog; restart 1 of 2 in 200 ms"));
	check_equal(machine.devices.watchdog.expiry, CLOCK_NEVER);
	start(&(struct life_policy){0});
	start_watchdog();
	run_until(fake.tsc + 3 * SECOND);
	check(!fake.running && state(1) == GUEST_CRASHED);
	check(log_has("guest reset by its watchdog; it stays stopped"));
}

static void test_watchdog_pause(void) {
	start(&(struct life_policy){.on_watchdog = true, .limit = 1});
	start_watchdog();
	run_until(fake.tsc + SECOND / 2);
	check_equal(command(1, GUEST_PAUSE), GUEST_DONE);
	run_until(fake.tsc + 100 * SECOND);
	check_equal(state(1), GUEST_PAUSED);
	check_equal(command(1, GUEST_RESUME), GUEST_DONE);
	run_until(fake.tsc + SECOND);
	check_equal(restarts(), 0);
	run_until(fake.tsc + SECOND);
	check_equal(restarts(), 1);
}

static void test_panic(void) {
	start(&(struct life_policy){.on_crash = true, .limit = 1, .backoff = 1000});
	port(POWER_PANIC_PORT, VCPU_IO_IN, 0);
	check_equal(fake.guest.registers[X86_RAX] & 0xff, 1);
	port(POWER_PANIC_PORT, 0, 2); // the guest's own crash kernel takes over
	check(fake.running);
	port(POWER_PANIC_PORT, 0, 1);
	check(!fake.running && state(1) == GUEST_RESTARTING && cause(1) == GUEST_BY_PANIC);
	check(log_has("guest panicked; restart 1 of 1 in 1 ms"));
	time_out();
	check(fake.running);
	port(POWER_PANIC_PORT, 0, 1);
	check(!fake.running && state(1) == GUEST_CRASHED);
}

static void test_reset_of_paused(void) {
	start(&(struct life_policy){.on_reboot = true});
	check_equal(command(0, GUEST_PAUSE), GUEST_DONE);
	fake.tsc += SECOND;
	check_equal(command(1, GUEST_RESET), GUEST_DONE);
	check(fake.running && state(0) == GUEST_RUNNING);
	check_equal(clock_now(&machine.processors[0].clock), 0);
}

static void test_nmi(void) {
	start(&(struct life_policy){.on_reboot = true});
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	check_equal(command(1, GUEST_NMI), GUEST_DONE);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
	leave(VCPU_EXIT_PAUSE);
	fake.exit.interruptibility = 0;
	// A paused guest gets it when it runs again.
	check_equal(command(1, GUEST_PAUSE), GUEST_DONE);
	check_equal(command(1, GUEST_NMI), GUEST_DONE);
	check(!fake.running);
	check_equal(command(1, GUEST_RESUME), GUEST_DONE);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
}

static void unmask_button(void) {
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x10 + 2 * POWER_BUTTON_PIN);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x35);
}

static void test_power_button(void) {
	start(&(struct life_policy){.on_reboot = true});
	unmask_button();
	for (unsigned i = 0; i < 3; i++) {
		check_equal(command(1, GUEST_POWER_BUTTON), GUEST_DONE);
		check_equal(event(), VCPU_EVENT_VALID | 0x35);
		wrmsr(0x80b, 0);
	}
}

// A press before the guest listens is not lost; one before a reset is.
static void test_early_button(void) {
	start(&(struct life_policy){.on_reboot = true});
	check_equal(command(1, GUEST_POWER_BUTTON), GUEST_DONE);
	unmask_button();
	leave(VCPU_EXIT_PAUSE);
	check_equal(event(), VCPU_EVENT_VALID | 0x35);
	start(&(struct life_policy){.on_reboot = true});
	check_equal(command(1, GUEST_POWER_BUTTON), GUEST_DONE);
	port(0xcf9, 0, 6);
	unmask_button();
	leave(VCPU_EXIT_PAUSE);
	check_equal(event() & VCPU_EVENT_VALID, 0);
}

// What a controller writes harms nothing but what it wants of this guest.
static void test_garbage(void) {
	uint64_t seed = 1;

	start(&(struct life_policy){.on_reboot = true, .on_crash = true, .limit = 5});
	check_equal(command(1, 0), GUEST_NO_COMMAND);
	check_equal(command(1, 1000000), GUEST_NO_COMMAND);
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t *bytes = (uint8_t *)&pages[1];

		for (unsigned k = 0; k < sizeof(pages[1]); k++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			if (seed >> 61 == 0) bytes[k] = (uint8_t)(seed >> 40);
		}
		if (seed >> 63) pages[1].command = seed >> 55 & 7;
		notify(HOST_CHANNEL_CONTROL);
		if (i % 64 == 0) clear_log();
		if (fake.running) leave(VCPU_EXIT_PAUSE);
		fake.tsc += 1000;
	}
	check_equal(pages[1].answer, machine.controllers[1].answered);
	// The other one still gets what it wants, and true answers.
	check_equal(command(0, GUEST_RESET), GUEST_DONE);
	check(fake.running && state(0) == GUEST_RUNNING && !machine.reset_due);
}

// A command that was sent to the monitor before is done by this one, an answered one is not.
static void test_next_monitor(void) {
	start(&(struct life_policy){.on_reboot = true});
	pages[0] = (struct guest_control){.request = 7, .answer = 7, .command = GUEST_PAUSE};
	controller_open(&machine.controllers[0], &pages[0]);
	notify(HOST_CHANNEL_CONSOLE);
	check(fake.running);
	pages[1] = (struct guest_control){.request = 9, .answer = 8, .command = GUEST_PAUSE};
	controller_open(&machine.controllers[1], &pages[1]);
	notify(HOST_CHANNEL_CONSOLE);
	check(!fake.running && pages[1].answer == 9 && pages[1].result == GUEST_DONE);
}

static void test_signals(void) {
	start(&(struct life_policy){.on_reboot = true});
	leave(VCPU_EXIT_PAUSE);
	check_equal(signals, 0);
	check_equal(command(1, GUEST_PAUSE), GUEST_DONE);
	check_equal(signals, 3); // the answer, and the state to both
	crash();
	check_equal(state(0), GUEST_CRASHED);
	check_equal(signals, 5);
}

int main(void) {
	static const struct test tests[] = {
		{"life.usual", "a reboot starts again, power-off and crash stop",
			test_usual_policy},
		{"life.reboot", "a reboot may stop", test_reboot_stops},
		{"life.backoff", "restarts wait longer each time, as many as allowed",
			test_backoff},
		{"life.in-backoff", "commands end a back-off", test_reset_in_backoff},
		{"life.pause", "time stands still, and nothing is lost", test_pause},
		{"life.watchdog", "the watchdog resets, or stops", test_watchdog},
		{"life.watchdog-pause", "the watchdog does not count in a pause",
			test_watchdog_pause},
		{"life.panic", "a panic ends the guest at once", test_panic},
		{"life.pause-reset", "a paused guest is reset", test_reset_of_paused},
		{"life.nmi", "an NMI comes to a halted and a paused guest", test_nmi},
		{"life.button", "each press is an interrupt", test_power_button},
		{"life.button-early", "a press waits for the guest, a reset forgets it",
			test_early_button},
		{"life.garbage", "a controller that writes anything harms nothing", test_garbage},
		{"life.monitor", "no command is lost between monitors", test_next_monitor},
		{"life.signals", "controllers are notified of each change", test_signals},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
