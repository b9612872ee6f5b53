// SPDX-License-Identifier: BSD-2-Clause
// One port of an AHCI controller: starts, stops, and issues one command at a time in slot 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ahci_port {
	unsigned number;
	uint8_t *memory; // DMA_BYTES
	uint64_t paddr; // of the memory
};

struct ahci_command {
	uint8_t code;
	bool is_write;
	uint64_t sector;
	uint32_t count;
	uint64_t paddr; // of the data
	uint32_t bytes; // of data; 0 for a command without
};

uint32_t ahci_port_read(const struct ahci_port *port, unsigned index);
void ahci_port_write(const struct ahci_port *port, unsigned index, uint32_t value);

// False when the controller does not stop, or the device stays busy.
[[nodiscard]] bool ahci_port_stop(const struct ahci_port *port);
[[nodiscard]] bool ahci_port_start(const struct ahci_port *port);

void ahci_port_issue(const struct ahci_port *port, const struct ahci_command *command);

// Poll for completion of the issued command, with interrupts off; false when it failed.
[[nodiscard]] bool ahci_port_wait(const struct ahci_port *port);
