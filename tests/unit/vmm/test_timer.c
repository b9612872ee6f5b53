// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a guest's deadlines: by the CPU's own timer, and by the timer driver.
#include "rig.h"

// In x2APIC mode, with the timer in deadline mode.
static void start_timer(void) {
	wrmsr(0x1b, 0xfee00d00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, 0x400ec);
}

static void fresh_with_timer(void) {
	rig_fresh();
	start_timer();
}

// A CPU without timer of its own for guests.
static void fresh_with_driver(void) {
	rig_fresh();
	fake.page.controls_offered &= ~VCPU_OFFERS_TIMER;
	start_timer();
}

static void test_own_timer(void) {
	fresh_with_timer();
	wrmsr(0x6e0, 5000);
	check_equal(fake.guest.timer, 5000);
	fake.tsc += 15;
	wrmsr(0x80b, 0); // the timer begins anew, but ends soon enough
	check_equal(fake.guest.timer, 5000);
	fake.tsc += 985;
	wrmsr(0x80b, 0);
	check_equal(fake.guest.timer, 4000);
	fake.tsc += 5000;
	leave(VCPU_EXIT_TIMER);
	check_equal(event(), VCPU_EVENT_VALID | 0xec);
	check_equal(lapic_pending(lapic), LAPIC_NONE);
	check_equal(fake.guest.timer, 0); // none is due
	wrmsr(0x80b, 0);
	wrmsr(0x6e0, 9000);
	wrmsr(0x6e0, 0);
	check(fake.guest.timer != 0); // ends once in vain
	leave(VCPU_EXIT_TIMER);
	check_equal(fake.guest.timer, 0);
	check_equal(fake.timer_calls, 0);
}

// A halted guest has no CPU, so its time-outs are the driver's.
static void test_halted_timer(void) {
	fresh_with_timer();
	wrmsr(0x6e0, 5000);
	leave(VCPU_EXIT_HLT);
	check(!fake.running);
	check_equal(fake.armed, 1005000);
	fake.tsc += 5000;
	notify(HOST_CHANNEL_TIMER);
	check(fake.running);
	check_equal(event(), VCPU_EVENT_VALID | 0xec);
}

static void test_driver_timer(void) {
	fresh_with_driver();
	wrmsr(0x6e0, 5000);
	check_equal(fake.armed, 1005000);
	wrmsr(0x6e0, 9000);
	check_equal(fake.timer_calls, 1); // later: the earlier time-out does
	wrmsr(0x6e0, 5000);
	fake.tsc += 6000;
	notify(HOST_CHANNEL_TIMER);
	check_equal(event(), VCPU_EVENT_VALID | 0xec);
	check_equal(lapic_pending(lapic), LAPIC_NONE);
	check_equal(fake.guest.timer, 0);
}

static void test_restart(void) {
	fresh_with_driver();
	wrmsr(0x6e0, 5000);
	machine_stop(&machine.processors[0], "test");
	machine_settle(&machine);
	check(!fake.running);
	fake.tsc += 1000000;
	notify(HOST_CHANNEL_TIMER); // the time-out of before
	check(!fake.running);
	check(machine_reset(&machine));
	machine_settle(&machine);
	check(fake.running);
	fake.armed = 0;
	start_timer();
	wrmsr(0x6e0, 5000);
	check_equal(fake.armed, fake.tsc + 5000);
}

static void test_far_timer(void) {
	fresh_with_driver();
	wrmsr(0x6e0, ~0ull - 5); // beyond the host's counter
	check_equal(fake.timer_calls, 0);
	wrmsr(0x832, 0x200ec);
	wrmsr(0x83e, 11);
	wrmsr(0x838, 1); // a tick at every tick
	check_equal(fake.timer_calls, 1);
	check_equal(fake.armed, 1000000 + 20);
	fresh_with_timer();
	wrmsr(0x6e0, ~0ull - 5);
	check_equal(fake.guest.timer, 0);
	wrmsr(0x832, 0x200ec);
	wrmsr(0x83e, 11);
	wrmsr(0x838, 1);
	check_equal(fake.guest.timer, 20);
}

int main(void) {
	static const struct test tests[] = {
		{"timer.own", "the CPU's timer ends the run when a deadline is due",
			test_own_timer},
		{"timer.halted", "a halted guest is woken by the timer driver", test_halted_timer},
		{"timer.driver", "without a timer of the CPU's the driver does it all",
			test_driver_timer},
		{"machine.restart", "a guest that stopped starts again, with its timer",
			test_restart},
		{"timer.far", "absurd deadlines neither wrap nor flood", test_far_timer},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
