// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine: memory, buses, interrupt controllers, devices and processors.
#pragma once

#include <vmm/boot/linux.h>
#include <vmm/devices.h>
#include <vmm/device/power.h>
#include <vmm/device/rtc.h>
#include <vmm/device/terminal.h>
#include <vmm/device/uart.h>
#include <vmm/host/controller.h>
#include <vmm/irq/fabric.h>
#include <vmm/irq/ioapic.h>
#include <vmm/life.h>
#include <vmm/pci/host.h>
#include <vmm/vcpu/control.h>
#include <vmm/vcpu/cpuid.h>
#include <vmm/vcpu/msr.h>

enum {
	MACHINE_VCPUS = 1,
	MACHINE_CONTROLLERS = 2, // the terminal with the console, and a component
};

struct machine;

// A CPU of the guest, with what belongs to it alone.
struct processor {
	struct machine *machine;
	struct vcpu vcpu;
	struct clock clock;
	struct lapic lapic;
	struct bus memory_bus; // its local APIC, and the machine's bus behind it
	struct control control;
	struct msr_file msrs;
};

// What a notification of a channel means.
struct channel {
	void (*notified)(void *context);
	void *context;
};

struct machine {
	struct guest_memory memory;
	struct bus memory_bus;
	struct bus port_bus;
	struct clock clock; // the host's
	struct clock device_clock; // stands still while the guest is paused
	struct fabric fabric;
	struct ioapic ioapic;
	struct pci_host pci;
	struct terminal terminals[UART_COUNT]; // the back end of each serial port
	struct uart uarts[UART_COUNT];
	struct rtc rtc;
	struct power power;
	struct devices devices;
	struct cpuid_model cpuid;
	struct processor processors[MACHINE_VCPUS];
	struct channel channels[HOST_CHANNELS];
	struct linux_files files;
	struct life life; // its policy is set before machine_build
	struct controller controllers[MACHINE_CONTROLLERS]; // opened before machine_build
	uint64_t told; // the status that they know
	uint64_t paused; // host TSC when the guest was
	bool complete; // a stopped guest can be started again
	bool reset_due; // when the devices' back ends rest
	uint64_t armed; // host TSC of the time-out the timer driver has for us, or CLOCK_NEVER
};

// Puts the machine together, of which memory, clock, CPUID model and terminals are there. False
// when two devices claim one address.
[[nodiscard]] bool machine_build(struct machine *machine);
// Loads the kernel and puts every device and processor into the state of a fresh start; later, if a
// back end still uses the guest's memory, or a disk is not known yet: reset_due. False after a line
// in the log when the guest cannot be started; the machine is stopped then.
[[nodiscard]] bool machine_reset(struct machine *machine);
// Stops processors and devices: back ends end what they have begun, and do nothing new.
void machine_halt(struct machine *machine);
// The guest has ended: it is halted, and the policy says what follows. `what` is for the log.
void machine_end(struct machine *machine, enum guest_cause cause, const char *what);
// Takes a time in which the guest was paused out of its time.
void machine_stand_still(struct machine *machine, uint64_t ticks);
// First of all after the processor may have run: what the guest has done without an exit.
void machine_left(struct processor *processor);
// A notification came; the caller settles the machine afterwards.
void machine_notified(struct machine *machine, unsigned channel);
// Ends the handling of an event: power requests, a start that is due, interrupts, timer,
// write-back, run or pause, and tells the controllers what has changed.
void machine_settle(struct machine *machine);
// Sends the other ends of the serial ports the output they have not been notified of.
void machine_flush_terminals(struct machine *machine);
// Tells the controllers the state, if it has changed.
void machine_tell(struct machine *machine);
// Whether the guest has stopped, or never started.
[[nodiscard]] bool machine_is_stopped(const struct machine *machine);
// Whether the guest runs or is paused.
[[nodiscard]] static inline bool machine_is_alive(const struct machine *machine) {
	return machine->life.state == GUEST_RUNNING || machine->life.state == GUEST_PAUSED;
}
// Ends the guest by a fault; the log has where the processor was, and why.
[[gnu::format(printf, 2, 3)]] void machine_stop(
	struct processor *processor, const char *format, ...);
