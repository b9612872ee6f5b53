// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine between events: start, reset, interrupts, time.
#include <vmm/machine.h>

#include <vmm/boot/acpi.h>
#include <vmm/host/log.h>
#include <vmm/wake.h>

#include <base/format.h>

enum { STOP_TEXT = 128 };

bool machine_is_stopped(const struct machine *machine) {
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		if (machine->processors[i].vcpu.run != VCPU_STOPPED) return false;
	return true;
}

static void stop_processors(struct machine *machine) {
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		machine->processors[i].vcpu.run = VCPU_STOPPED;
}

void machine_halt(struct machine *machine) {
	stop_processors(machine);
	devices_reset(&machine->devices);
	machine->reset_due = false;
}

void machine_end(struct machine *machine, enum guest_cause cause, const char *what) {
	machine_halt(machine);
	life_end(&machine->life, cause, what);
}

void machine_stop(struct processor *processor, const char *format, ...) {
	char text[STOP_TEXT];
	char line[STOP_TEXT + 32];
	va_list arguments;

	va_start(arguments, format);
	format_text_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	format_text(
		line, sizeof(line), "guest stopped at %lx: %s", processor->vcpu.page->rip, text);
	machine_end(processor->machine, GUEST_BY_FAULT, line);
}

// The back end of a serial port that was full does not tell of room.
static void poll_blocked(struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		if (machine->uarts[i].transmit_blocked) uart_poll(&machine->uarts[i]);
	devices_poll(&machine->devices);
}

static void time_out_ended(void *context) {
	struct machine *machine = context;

	machine->armed = CLOCK_NEVER;
}

static void add_channel(
	struct machine *machine, unsigned channel, void (*notified)(void *context), void *context) {
	machine->channels[channel] = (struct channel){notified, context};
}

static void uart_notified(void *context) { uart_poll(context); }

static bool build_processor(struct machine *machine, unsigned number) {
	struct processor *processor = &machine->processors[number];

	processor->machine = machine;
	processor->clock = machine->clock;
	processor->memory_bus.behind = &machine->memory_bus;
	processor->lapic.id = number;
	processor->lapic.clock = &processor->clock;
	processor->lapic.memory = &machine->memory;
	processor->control.memory = &machine->memory;
	processor->control.lapic = &processor->lapic;
	processor->control.cr4_allowed = cpuid_cr4_allowed(&machine->cpuid);
	processor->vcpu.number = number;
	processor->vcpu.page = host_vcpu_page(number);
	processor->msrs.vcpu = &processor->vcpu;
	processor->msrs.spec_ctrl_allowed = cpuid_spec_ctrl_allowed(&machine->cpuid);
	processor->msrs.lapic = &processor->lapic;
	processor->msrs.clock = &processor->clock;
	processor->msrs.paravirtual_clock.memory = &machine->memory;
	processor->msrs.paravirtual_clock.clock = &processor->clock;
	fabric_add_lapic(&machine->fabric, &processor->lapic);
	return lapic_attach(&processor->lapic, &processor->memory_bus);
}

static bool build_uart(struct machine *machine, unsigned number) {
	static const enum host_channel channels[UART_COUNT] = {
		HOST_CHANNEL_CONSOLE, HOST_CHANNEL_PEER};
	const struct uart_place *place = &uart_places[number];
	struct uart *uart = &machine->uarts[number];

	uart->line = (struct line){ioapic_pin_changed, &machine->ioapic, place->pin, LINE_LOW};
	uart->backend = terminal_backend(&machine->terminals[number]);
	add_channel(machine, channels[number], uart_notified, uart);
	return uart_attach(uart, &machine->port_bus, place->ports);
}

static bool build_pci(struct machine *machine) {
	struct pci_host *pci = &machine->pci;

	for (unsigned i = 0; i < PCI_PINS; i++)
		pci->lines[i] = (struct line){
			ioapic_pin_changed, &machine->ioapic, PCI_PIN_BASE + i, LINE_LOW};
	return pci_host_attach(pci, &machine->memory_bus, &machine->port_bus, &machine->fabric);
}

static bool build_power(struct machine *machine) {
	machine->power.button = (struct line){
		ioapic_pin_changed, &machine->ioapic, POWER_BUTTON_PIN, LINE_LOW};
	return power_attach(&machine->power, &machine->port_bus, &machine->pci.beside);
}

static void console_notified(void *context) { virtio_console_receive(context); }

// Of the devices that are there.
static void add_channels(struct machine *machine) {
	struct devices *devices = &machine->devices;

	for (unsigned i = 0; i < DEVICES_DISKS; i++)
		if (devices->disks[i].queue)
			add_channel(machine, HOST_CHANNEL_DISK + i, blk_client_notified,
				&devices->disks[i]);
	for (unsigned i = 0; i < DEVICES_NETS; i++)
		if (devices->nets[i].link)
			add_channel(machine, HOST_CHANNEL_NET + i, net_station_notified,
				&devices->nets[i]);
	for (unsigned i = 0; i < devices->vsock.stream_count; i++)
		add_channel(machine, HOST_CHANNEL_SOCKET + i, vsock_notified, &devices->vsock);
	for (unsigned i = 0; i < devices->console.port_count; i++)
		add_channel(machine, HOST_CHANNEL_PORT + i, console_notified, &devices->console);
}

bool machine_build(struct machine *machine) {
	machine->device_clock = machine->clock;
	life_init(&machine->life, &machine->clock);
	machine->armed = CLOCK_NEVER;
	machine->devices.clock = &machine->clock;
	add_channel(machine, HOST_CHANNEL_TIMER, time_out_ended, machine);
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		if (!build_processor(machine, i)) return false;
	for (unsigned i = 0; i < UART_COUNT; i++)
		if (!build_uart(machine, i)) return false;
	fabric_add_ioapic(&machine->fabric, &machine->ioapic);
	add_channels(machine);
	machine->complete = ioapic_attach(&machine->ioapic, &machine->memory_bus) &&
		rtc_attach(&machine->rtc, &machine->port_bus) && build_pci(machine) &&
		devices_build(&machine->devices, &machine->memory, &machine->pci) &&
		build_power(machine);
	return machine->complete;
}

void machine_notified(struct machine *machine, unsigned channel) {
	const struct channel *row = machine->channels;

	if (channel >= HOST_CHANNEL_MESSAGE && channel < HOST_CHANNELS) {
		host_message_taken(channel);
		devices_message(&machine->devices, channel - HOST_CHANNEL_MESSAGE);
		return;
	}
	if (channel >= HOST_CHANNELS || !row[channel].notified) return;
	row[channel].notified(row[channel].context);
}

static void reset_processor(struct processor *processor) {
	uint64_t now = host_tsc();
	uint32_t nanoseconds;
	uint64_t seconds = rtc_seconds(&processor->machine->rtc, now, &nanoseconds);

	processor->clock.offset = -now;
	vcpu_replace(&processor->vcpu, VCPU_GROUP_TSC)->tsc_offset = processor->clock.offset;
	lapic_reset(&processor->lapic);
	msr_reset(&processor->msrs);
	paravirtual_clock_reset(&processor->msrs.paravirtual_clock, now, seconds, nanoseconds);
}

static void reset_devices(struct machine *machine) {
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		reset_processor(&machine->processors[i]);
	ioapic_reset(&machine->ioapic);
	pci_host_reset(&machine->pci);
	for (unsigned i = 0; i < UART_COUNT; i++)
		uart_reset(&machine->uarts[i]);
	power_reset(&machine->power);
	devices_start(&machine->devices);
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

static bool start(struct machine *machine) {
	// A kernel starts on the first processor, and starts the others.
	struct processor *first = &machine->processors[0];
	struct linux_entry start;
	struct vcpu_entry entry;
	const char *problem = NULL;

	if (!load(machine, &start)) return false;
	entry = (struct vcpu_entry){
		.rip = start.rip,
		.rsi = start.boot_parameters,
		.cr3 = start.page_tables,
		.gdt_base = start.gdt_base,
		.gdt_limit = start.gdt_limit,
		.code_selector = start.code_selector,
		.data_selector = start.data_selector,
		.cr4_allowed = first->control.cr4_allowed,
		.cpuid = &machine->cpuid,
	};
	if (!vcpu_reset(&first->vcpu, &entry, &problem)) {
		log_line("guest not started: %s", problem);
		return false;
	}
	reset_devices(machine);
	return true;
}

bool machine_reset(struct machine *machine) {
	machine_halt(machine);
	machine->reset_due = !devices_rest(&machine->devices);
	if (machine->reset_due) return true;
	log_guest_reset();
	if (!start(machine)) {
		life_stop(&machine->life, GUEST_BY_MONITOR);
		return false;
	}
	life_started(&machine->life);
	return true;
}

void machine_stand_still(struct machine *machine, uint64_t ticks) {
	machine->device_clock.offset -= ticks;
	for (unsigned i = 0; i < MACHINE_VCPUS; i++) {
		struct processor *processor = &machine->processors[i];
		uint64_t offset = processor->clock.offset -= ticks;

		vcpu_replace(&processor->vcpu, VCPU_GROUP_TSC)->tsc_offset = offset;
		processor->msrs.paravirtual_clock.start += ticks;
	}
}

static void take_power_request(struct machine *machine) {
	enum power_request request = machine->power.request;

	machine->power.request = POWER_NONE;
	if (request == POWER_OFF) machine_end(machine, GUEST_BY_POWEROFF, "guest powered off");
	if (request == POWER_RESET) machine_end(machine, GUEST_BY_REBOOT, "guest resets");
	if (request == POWER_PANIC) machine_end(machine, GUEST_BY_PANIC, "guest panicked");
}

static void poll_watchdog(struct machine *machine) {
	if (machine->life.state != GUEST_RUNNING) return;
	if (watchdog_poll(&machine->devices.watchdog))
		machine_end(machine, GUEST_BY_WATCHDOG, "guest reset by its watchdog");
}

static void deliver_nmi(struct processor *processor) {
	if (!processor->lapic.nmi_pending || !vcpu_nmi_possible(&processor->vcpu)) return;
	processor->lapic.nmi_pending = false;
	processor->vcpu.run = VCPU_RUNNING;
	vcpu_inject(&processor->vcpu, VCPU_EVENT_NMI | 2);
}

// At most one event enters with the next VM entry; a window exit fetches the rest.
static void deliver_interrupts(struct processor *processor) {
	struct lapic *lapic = &processor->lapic;
	struct vcpu *vcpu = &processor->vcpu;
	uint32_t windows;
	int vector;

	deliver_nmi(processor);
	vector = lapic_pending(lapic);
	if (vector != LAPIC_NONE && vcpu_interruptible(vcpu)) {
		vcpu_inject(vcpu, VCPU_EVENT_EXTERNAL | (uint32_t)vector);
		lapic_acknowledge(lapic, (uint8_t)vector);
		vcpu->run = VCPU_RUNNING;
		vector = lapic_pending(lapic);
	}
	windows = vector != LAPIC_NONE ? VCPU_WINDOW_INTERRUPT : 0;
	windows |= lapic->nmi_pending ? VCPU_WINDOW_NMI : 0;
	vcpu_window(vcpu, windows);
}

void machine_flush_terminals(struct machine *machine) {
	for (unsigned i = 0; i < UART_COUNT; i++)
		terminal_flush(&machine->terminals[i]);
	devices_flush(&machine->devices);
}

void machine_left(struct processor *processor) {
	vcpu_left(&processor->vcpu);
	lapic_left(&processor->lapic);
}

static void settle_processor(struct processor *processor) {
	if (processor->vcpu.run == VCPU_STOPPED) return;
	lapic_timer_poll(&processor->lapic);
	deliver_interrupts(processor);
	lapic_enter(&processor->lapic);
	vcpu_enter(&processor->vcpu);
}

void machine_tell(struct machine *machine) {
	uint64_t status = life_status(&machine->life);

	if (status == machine->told) return;
	machine->told = status;
	for (unsigned i = 0; i < MACHINE_CONTROLLERS; i++)
		controller_tell(&machine->controllers[i], status);
}

static bool is_idle(const struct machine *machine) {
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		if (machine->processors[i].vcpu.run == VCPU_RUNNING) return false;
	return true;
}

void machine_settle(struct machine *machine) {
	take_power_request(machine);
	poll_watchdog(machine);
	// A failure has been logged and leaves the machine stopped.
	if (life_is_due(&machine->life) || (machine->reset_due && devices_rest(&machine->devices)))
		(void)!machine_reset(machine);
	poll_blocked(machine);
	if (machine->life.state == GUEST_RUNNING)
		devices_settle(&machine->devices, is_idle(machine));
	for (unsigned i = 0; machine->life.state == GUEST_RUNNING && i < MACHINE_VCPUS; i++)
		settle_processor(&machine->processors[i]);
	wake_arm(machine);
	machine_tell(machine);
	// One thread runs one processor.
	if (machine->life.state == GUEST_RUNNING &&
		machine->processors[0].vcpu.run == VCPU_RUNNING) {
		host_guest_run();
		return;
	}
	machine_flush_terminals(machine);
	host_guest_pause();
}
