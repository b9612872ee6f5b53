// SPDX-License-Identifier: BSD-2-Clause
// What the VMM asks of the system below it: the vCPU objects, the timer driver, the console
// channel. host.c speaks <microkit.h>; unit tests bring their own.
#pragma once

#include <abi/vcpu_state.h>
#include <nacre/protocol/pci.h>

#include <stdbool.h>
#include <stdint.h>

enum host_channel {
	HOST_CHANNEL_CONSOLE = 0,
	HOST_CHANNEL_TIMER = 1,
	HOST_CHANNEL_PEER = 2, // the component at the guest's second serial port
	HOST_CHANNEL_CONTROL = 3, // the component that controls the guest
	HOST_CHANNEL_DISK = 4, // the driver of the first disk, and so on for four
	HOST_CHANNEL_NET = 8, // the switch at the first network device, and at the second
	HOST_CHANNEL_SOCKET = 12, // the component at the first stream, and so on for four
	HOST_CHANNEL_PORT = 20, // the component at port 0 of the console, and so on for four
	HOST_CHANNEL_PCI = 24, // the PCI component
	HOST_CHANNEL_MESSAGE = 28, // first message of the first device, HOST_MESSAGES of each
	HOST_CHANNELS = 60,
};

enum { HOST_PCI_WORDS = 4, HOST_MESSAGES = 8 };

[[nodiscard]] uint64_t host_tsc(void);
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]);

// XCR0 while the VMM runs.
[[nodiscard]] uint64_t host_xcr0(void);
// Whether the CPU has a source of randomness.
[[nodiscard]] bool host_has_random(void);
// Fills memory with random bytes; false if the source has failed.
[[nodiscard]] bool host_random(void *context, uint8_t *bytes, uint32_t length);
// Whether XSAVEC writes AVX state where the compacted format has it; Bochs 2.7 writes it elsewhere,
// partly over the header. The VMM's vector registers are lost.
[[nodiscard]] bool host_xsave_compacts(void);

// The page that holds the state of a vCPU. Null when there is none: the machine cannot run guests,
// or the description gave none.
[[nodiscard]] struct vcpu_state_page *host_vcpu_page(unsigned vcpu);
// Writes groups of state that the last exit left out into the page.
void host_vcpu_save(unsigned vcpu, uint64_t groups);
// Lets the guest reach an MSR without an exit; false if the kernel does not switch it.
[[nodiscard]] bool host_msr_direct(unsigned vcpu, uint32_t number);
// Whether the guest runs when the handling of the event at hand has ended.
void host_guest_run(void);
void host_guest_pause(void);

// Asks for a notification on HOST_CHANNEL_TIMER when the host's counter reaches the value.
// False when the timer driver refuses.
[[nodiscard]] bool host_timer_arm(uint64_t tsc);
// Seconds since 1970 UTC when the host's counter stood at *tsc.
[[nodiscard]] uint64_t host_wall_clock(uint64_t *tsc);
// Notifies the component at a channel, which is the context of those who signal.
void host_signal(void *channel);
static inline void *host_context(unsigned channel) { return (void *)(uintptr_t)channel; }
// The address that the switch at a channel expects in frames, its first byte highest; 0 for none.
[[nodiscard]] uint64_t host_net_address(unsigned channel);

// A request to the PCI component, whose words those of the answer replace. False if it is refused.
[[nodiscard]] bool host_pci(enum pci_request request, uint64_t words[HOST_PCI_WORDS]);
// The device's table entry, or it itself, has the message of a channel.
void host_message_write(uint64_t entry, unsigned channel);
void host_message_set(unsigned device, unsigned channel);
// It may come again.
void host_message_taken(unsigned channel);
