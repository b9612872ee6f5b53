// SPDX-License-Identifier: BSD-2-Clause
// A device that sends any message: an e1000e network card, whose registers can be reached through
// ports.
#pragma once

#include "pci.h"

struct card {
	uint64_t pci, ports; // capabilities
	uint64_t device, base, messages;
};

// The test is skipped where there is none.
struct card card_find(void);
void card_send(const struct card *card, uint64_t address, uint64_t data);
