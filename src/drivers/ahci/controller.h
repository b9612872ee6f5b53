// SPDX-License-Identifier: BSD-2-Clause
// An AHCI controller with one disk. Pure but for its registers and the page of memory it shares
// with the controller.
#pragma once

#include <drivers/ahci/port.h>
#include <lib/block/device.h>

struct ahci_controller {
	struct ahci_port port; // memory and paddr are given, the number is found
	bool wide; // takes addresses above 4 GiB
	bool active; // a command is under way
};

// Reset the controller and identify the disk at its first port that has one; returns its sectors, 0
// when there is none that works.
[[nodiscard]] uint64_t ahci_controller_reset(struct ahci_controller *controller);

[[nodiscard]] enum block_progress ahci_controller_start(
	struct ahci_controller *controller, const struct block_job *job);

// Handles an interrupt; afterwards the controller's interrupt line is inactive.
[[nodiscard]] enum block_progress ahci_controller_interrupt(struct ahci_controller *controller);
