// SPDX-License-Identifier: BSD-2-Clause
// The card's registers: reset, address, link, rings and interrupts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <nacre/protocol/net.h>

struct e1000_link {
	bool is_up;
	unsigned megabits;
};

// Physical addresses of the two rings of descriptors, each at a multiple of 16.
struct e1000_addresses {
	uint64_t receive;
	uint64_t transmit;
};

// Stop the card and anything it may still be doing for a previous driver.
void e1000_reset(uint64_t registers_vaddr);

// The address in the card's EEPROM, or the one that the firmware has set.
void e1000_read_mac(uint8_t mac[NET_MAC_BYTES]);

// Start the card: every frame on the wire is received, since the switch has several stations.
void e1000_start(const struct e1000_addresses *addresses);

// Interrupt causes, which reading clears: the card's line becomes inactive. enum bits CAUSE_*.
uint32_t e1000_causes(void);

struct e1000_link e1000_link(void);

// The card may use descriptors up to here.
void e1000_receive_to(unsigned tail);
void e1000_transmit_to(unsigned tail);
