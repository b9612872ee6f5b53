// SPDX-License-Identifier: BSD-2-Clause
// A host for unit tests: a kernel with one virtual CPU and its state page, time as a variable,
// calls counted.
#pragma once

#include <vmm/host/host.h>

struct fake_host {
	struct vcpu_state_page page; // the VMM's
	struct vcpu_state_page guest; // the state of the guest, which the kernel holds
	// What the next exit finds: RIP, flags, CR3, general registers but RSP, and all about the
	// exit itself. Tests set it once for any number of exits.
	struct vcpu_state_page exit;
	uint64_t tsc;
	uint64_t armed;
	uint32_t compacted_size; // that CPUID tells
	unsigned saves; // groups fetched with a system call of their own
	unsigned timer_calls;
	unsigned signals[HOST_CHANNELS];
	bool running;
	unsigned speculation_msrs; // that were made direct
	// The PCI component; null: it refuses all.
	bool (*pci)(enum pci_request request, uint64_t words[HOST_PCI_WORDS]);
	unsigned messages_taken;
	unsigned message_device, message_channel; // of the device that sends one
};

extern struct fake_host fake;

void fake_reset(void);
// The guest leaves: what the exit of this reason saves is in the page, what it does not is wrong
// there.
void fake_leave(enum vcpu_exit_reason reason);
// As the next entry would do, takes over what the monitor changed.
void fake_take(void);
