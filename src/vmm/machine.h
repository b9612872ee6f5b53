// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine: memory, buses, interrupt controllers, devices and the vCPU.
#pragma once

#include <vmm/vcpu/control.h>
#include <vmm/vcpu/cpuid.h>
#include <vmm/device/power.h>
#include <vmm/device/rtc.h>
#include <vmm/device/uart.h>
#include <vmm/irq/ioapic.h>
#include <vmm/boot/linux.h>
#include <vmm/vcpu/msr.h>
#include <vmm/host/terminal.h>

struct machine {
	struct guest_memory memory;
	struct bus memory_bus;
	struct bus port_bus;
	struct clock clock;
	struct lapic lapic;
	struct ioapic ioapic;
	struct terminal terminals[UART_COUNT]; // the far end of each serial port
	struct uart uarts[UART_COUNT];
	struct rtc rtc;
	struct power power;
	struct cpuid_model cpuid;
	struct control control;
	struct msr_file msrs;
	struct vcpu vcpu;
	struct linux_files files;
	uint64_t armed; // host TSC of the time-out the timer driver has for us, or CLOCK_NEVER
};

// Loads the kernel and puts every device and the vCPU into the state of a fresh start. False after
// a line in the log when the guest cannot be started; the machine is stopped then.
[[nodiscard]] bool machine_reset(struct machine *machine);
// The same for a guest that has stopped.
[[nodiscard]] bool machine_restart(struct machine *machine);
// Ends the handling of an event: power requests, interrupts, timer, write-back, run or pause.
void machine_settle(struct machine *machine);
// Fetches input of the serial ports and notices room for their output.
void machine_poll_uarts(struct machine *machine);
// Tells the far ends of the serial ports about output they have not been told of.
void machine_flush_terminals(struct machine *machine);
// Stops the vCPU after a line in the log: where, and why.
[[gnu::format(printf, 2, 3)]] void machine_stop(struct machine *machine, const char *format, ...);
