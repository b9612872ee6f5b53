// SPDX-License-Identifier: BSD-2-Clause
// What the victim saw.
#pragma once

#include <stdint.h>

enum {
	SECRET_BYTE = 0x5e,
	// Channels of the victim's interrupts, and their vectors in the CPU: 48 above those of the
	// description.
	VICTIM_IRQ_FIRST = 8,
	VICTIM_IRQS = 8,
};
static const uint8_t victim_vectors[VICTIM_IRQS] = {88, 89, 90, 91, 108, 128, 148, 149};

struct tally {
	volatile uint32_t interrupts; // that no device raised
	volatile uint32_t changed; // bytes of its memory, when it was last asked
	volatile uint64_t message; // the address of its first interrupt's message
};
