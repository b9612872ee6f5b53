// SPDX-License-Identifier: BSD-2-Clause
// The next moment at which the machine has something to do by itself.
#include <vmm/wake.h>

#include <vmm/host/log.h>

enum { DRAIN_POLLS_PER_SECOND = 1000, TIMEOUTS_PER_SECOND = 50000 };

// The host's counter at the processor's next timer tick. Ticks that are due at once, or follow each
// other without a pause, may not keep the timer driver busy.
static uint64_t timer_deadline(const struct processor *processor) {
	const struct clock *clock = &processor->clock;
	uint64_t expiry = processor->lapic.timer.expiry;
	uint64_t now = host_tsc();
	uint64_t soonest = now + clock->hertz / TIMEOUTS_PER_SECOND;
	uint64_t deadline = clock_to_host(clock, expiry);
	bool ahead = expiry > now + clock->offset;

	if (expiry == CLOCK_NEVER || (ahead && deadline < now)) return CLOCK_NEVER;
	return ahead && deadline > soonest ? deadline : soonest;
}

static uint64_t watchdog_deadline(const struct machine *machine) {
	uint64_t expiry = machine->devices.watchdog.expiry;

	if (!machine->devices.watchdog.clock || expiry == CLOCK_NEVER) return CLOCK_NEVER;
	return clock_to_host(&machine->device_clock, expiry);
}

static bool transmit_blocked(const struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		if (machine->uarts[i].transmit_blocked) return true;
	return devices_blocked(&machine->devices);
}

static uint64_t earlier(uint64_t one, uint64_t other) { return one < other ? one : other; }

// The CPU's own timer, while the guest runs. It counts from each entry, so one that was set before
// ends too late; within the slack that is left alone, because setting it makes the entry dearer.
// One that nothing needs ends once and is switched off then.
static void arm_own_timer(struct vcpu *vcpu, uint64_t wanted, uint64_t slack) {
	const struct vcpu_state_page *page = vcpu->page;
	uint64_t now = host_tsc();
	uint64_t left = wanted > now ? wanted - now : 1;
	uint64_t error = left > page->timer ? left - page->timer : page->timer - left;

	if (wanted == CLOCK_NEVER) {
		if (page->timer == 0 || page->reason != VCPU_EXIT_TIMER) return;
		left = 0;
	} else if (page->timer != 0 && error <= slack) {
		return;
	}
	vcpu_replace(vcpu, VCPU_GROUP_TIMER)->timer = left;
}

// A time-out that is armed too early is left alone: its expiry arms the next one, and moving the
// deadline back and forth, as an idle Linux does, costs no calls.
static void arm_driver(struct machine *machine, uint64_t wanted) {
	if (wanted >= machine->armed) return;
	machine->armed = wanted;
	if (!host_timer_arm(wanted))
		log_guest("the timer driver refuses time-outs: the guest's timers stand still");
}

// While the guest is paused its time stands still.
void wake_arm(struct machine *machine) {
	struct vcpu *first = &machine->processors[0].vcpu;
	uint64_t wanted = machine->life.due;
	bool runs = machine->life.state == GUEST_RUNNING;

	if (machine->reset_due && machine->devices.startable > host_tsc())
		wanted = earlier(wanted, machine->devices.startable);
	for (unsigned i = 0; runs && i < MACHINE_VCPUS; i++)
		wanted = earlier(wanted, timer_deadline(&machine->processors[i]));
	if (runs) wanted = earlier(wanted, watchdog_deadline(machine));
	if (runs) wanted = earlier(wanted, devices_due(&machine->devices));
	if (runs && transmit_blocked(machine))
		wanted = earlier(
			wanted, host_tsc() + machine->clock.hertz / DRAIN_POLLS_PER_SECOND);
	if (runs && first->run == VCPU_RUNNING &&
		(first->page->controls_offered & VCPU_OFFERS_TIMER))
		arm_own_timer(first, wanted, machine->clock.hertz / TIMEOUTS_PER_SECOND);
	else
		arm_driver(machine, wanted);
}
