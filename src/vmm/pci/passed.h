// SPDX-License-Identifier: BSD-2-Clause
// A function of the machine that the guest drives. Its own registers are mapped in the guest where
// its BARs are at first. Of its configuration registers the guest has names, BARs, messages and the
// bit of the bus master; all others are hidden.
#pragma once

#include <vmm/pci/function.h>

struct passed {
	uint64_t window; // address of its registers, in guest and monitor; 0: there is none
	struct pci_function function;
	unsigned number; // as the PCI component counts
	unsigned messages;
	bool stopped; // since its last start
	uint64_t bars[PCI_BARS]; // their addresses
	uint64_t table; // address of what only the monitor writes
	uint64_t table_size; // 0: there is none
};

// The window is set. False if the PCI component grants no device of this number.
[[nodiscard]] bool passed_init(struct passed *passed, unsigned number);
// The device reaches no memory any more, and interrupts no more. Its reset begins, and takes so
// many microseconds; 0 if it began before.
[[nodiscard]] uint64_t passed_stop(struct passed *passed);
// So much later: the device is as after a reset, if it can be reset alone.
void passed_start(struct passed *passed);
