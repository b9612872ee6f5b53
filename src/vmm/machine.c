// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine between events: start, reset, interrupts, time.
#include <vmm/machine.h>

#include <vmm/boot/acpi.h>
#include <vmm/host/log.h>

#include <abi/vcpu.h>

#include <base/format.h>
#include <base/memory.h>

enum { DRAIN_POLLS_PER_SECOND = 1000, TIMEOUTS_PER_SECOND = 50000, STOP_TEXT = 128 };

void machine_stop(struct machine *machine, const char *format, ...) {
	char text[STOP_TEXT];
	va_list arguments;
	va_start(arguments, format);
	format_text_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_line("guest stopped at %lx: %s", machine->vcpu.rip, text);
	machine->vcpu.run = VCPU_STOPPED;
}

static void reset_devices(struct machine *machine) {
	machine->clock.offset = -host_tsc();
	host_state_write(VCPU_STATE_TSC_OFFSET, machine->clock.offset);
	lapic_reset(&machine->lapic);
	ioapic_reset(&machine->ioapic);
	for (unsigned i = 0; i < UART_COUNT; i++)
		uart_reset(&machine->uarts[i]);
	msr_reset(&machine->msrs);
	memset(&machine->power, 0, sizeof(machine->power));
	machine->control.xcr0 = XCR0_X87;
}

static bool load(struct machine *machine, struct linux_entry *entry) {
	struct linux_problem problem;
	if (!acpi_build(&machine->memory, &machine->files.rsdp)) {
		log_line("guest not started: the guest memory region is smaller than 1 MiB");
		return false;
	}
	if (!linux_load(&machine->memory, &machine->files, entry, &problem)) {
		log_line("guest not started: %s", problem.text);
		return false;
	}
	return true;
}

bool machine_reset(struct machine *machine) {
	struct linux_entry start;
	const char *problem = NULL;
	machine->vcpu.run = VCPU_STOPPED;
	log_guest_reset();
	if (!load(machine, &start)) return false;
	const struct vcpu_entry entry = {
		.rip = start.rip,
		.rsi = start.boot_parameters,
		.cr3 = start.page_tables,
		.gdt_base = start.gdt_base,
		.gdt_limit = start.gdt_limit,
		.code_selector = start.code_selector,
		.data_selector = start.data_selector,
		.cr4_allowed = (uint32_t)machine->control.cr4_allowed,
	};
	if (!vcpu_reset(&machine->vcpu, &entry, &problem)) {
		log_line("guest not started: %s", problem);
		return false;
	}
	reset_devices(machine);
	return true;
}

bool machine_restart(struct machine *machine) {
	// Time-outs that ended while the guest stood still were not looked at.
	machine->armed = CLOCK_NEVER;
	return machine_reset(machine);
}

static void take_power_request(struct machine *machine) {
	enum power_request request = machine->power.request;
	machine->power.request = POWER_NONE;
	switch (request) {
	case POWER_NONE: return;
	case POWER_OFF:
		log_line("guest powered off");
		machine->vcpu.run = VCPU_STOPPED;
		return;
	case POWER_RESET:
		log_line("guest resets");
		// A failure has been logged and leaves the machine stopped.
		(void)!machine_reset(machine);
		return;
	}
}

static void deliver_nmi(struct machine *machine) {
	if (!machine->lapic.nmi_pending || !vcpu_nmi_possible(&machine->vcpu)) return;
	machine->lapic.nmi_pending = false;
	machine->vcpu.run = VCPU_RUNNING;
	vcpu_inject(&machine->vcpu, EVENT_NMI | 2);
}

// At most one event enters with the next VM entry; a window exit fetches the rest.
static void deliver_interrupts(struct machine *machine) {
	struct lapic *lapic = &machine->lapic;
	struct vcpu *vcpu = &machine->vcpu;
	deliver_nmi(machine);
	int vector = lapic_pending(lapic);
	if (vector != LAPIC_NONE && vcpu_interruptible(vcpu)) {
		vcpu_inject(vcpu, EVENT_EXTERNAL | (uint32_t)vector);
		lapic_acknowledge(lapic, (uint8_t)vector);
		vcpu->run = VCPU_RUNNING;
		vector = lapic_pending(lapic);
	}
	uint32_t windows = vector != LAPIC_NONE ? PRIMARY_INTERRUPT_WINDOW : 0;
	windows |= lapic->nmi_pending ? PRIMARY_NMI_WINDOW : 0;
	vcpu_window(vcpu, windows);
}

// The host's counter at the guest's next timer tick. Ticks that are due at once, or follow each
// other without a pause, may not keep the timer driver busy.
static uint64_t timer_deadline(const struct machine *machine) {
	uint64_t expiry = machine->lapic.timer.expiry;
	uint64_t now = host_tsc();
	uint64_t soonest = now + machine->clock.hertz / TIMEOUTS_PER_SECOND;
	uint64_t deadline = clock_to_host(&machine->clock, expiry);
	bool ahead = expiry > now + machine->clock.offset;
	if (expiry == CLOCK_NEVER || (ahead && deadline < now)) return CLOCK_NEVER;
	return ahead && deadline > soonest ? deadline : soonest;
}

static bool transmit_blocked(const struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		if (machine->uarts[i].transmit_blocked) return true;
	return false;
}

// A time-out that is armed too early is left alone: its expiry arms the next one, and moving the
// deadline back and forth, as an idle Linux does, costs no calls.
static void arm_timer(struct machine *machine) {
	uint64_t wanted = timer_deadline(machine);
	if (transmit_blocked(machine)) {
		uint64_t poll = host_tsc() + machine->clock.hertz / DRAIN_POLLS_PER_SECOND;
		wanted = poll < wanted ? poll : wanted;
	}
	if (wanted >= machine->armed) return;
	machine->armed = wanted;
	if (!host_timer_arm(wanted))
		log_guest("the timer driver refuses time-outs: the guest's timers stand still");
}

void machine_poll_uarts(struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		uart_poll(&machine->uarts[i]);
}

void machine_flush_terminals(struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		terminal_flush(&machine->terminals[i]);
}

void machine_settle(struct machine *machine) {
	struct vcpu *vcpu = &machine->vcpu;
	take_power_request(machine);
	if (vcpu->run != VCPU_STOPPED) {
		lapic_timer_poll(&machine->lapic);
		deliver_interrupts(machine);
		arm_timer(machine);
		vcpu_commit(vcpu);
	}
	if (vcpu->run == VCPU_RUNNING) {
		host_guest_run();
		return;
	}
	machine_flush_terminals(machine);
	host_guest_pause();
}
