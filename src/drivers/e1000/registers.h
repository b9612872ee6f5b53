// SPDX-License-Identifier: BSD-2-Clause
// Registers and descriptors of the Intel 8254x Ethernet controllers (PCI/PCI-X Family of Gigabit
// Ethernet Controllers Software Developer's Manual, chapters 3 and 13), those that are used.
#pragma once

#include <stdint.h>

enum e1000_register {
	E1000_CTRL = 0x0000,
	E1000_STATUS = 0x0008,
	E1000_EERD = 0x0014,
	E1000_ICR = 0x00c0, // interrupt causes; reading clears them
	E1000_ITR = 0x00c4, // least time between interrupts, in 256 ns
	E1000_IMS = 0x00d0,
	E1000_IMC = 0x00d8,
	E1000_RCTL = 0x0100,
	E1000_TCTL = 0x0400,
	E1000_TIPG = 0x0410,
	E1000_RDBAL = 0x2800, // receive ring: address, bytes, head, tail
	E1000_RDBAH = 0x2804,
	E1000_RDLEN = 0x2808,
	E1000_RDH = 0x2810,
	E1000_RDT = 0x2818,
	E1000_RDTR = 0x2820,
	E1000_TDBAL = 0x3800, // transmit ring, the same
	E1000_TDBAH = 0x3804,
	E1000_TDLEN = 0x3808,
	E1000_TDH = 0x3810,
	E1000_TDT = 0x3818,
	E1000_MTA = 0x5200, // multicast table, 128 words
	E1000_RAL0 = 0x5400, // own address
	E1000_RAH0 = 0x5404,
	E1000_REGISTERS_SIZE = 0x20000,
	E1000_MTA_WORDS = 128,
};

enum {
	CTRL_AUTO_SPEED = 1 << 5,
	CTRL_LINK_UP = 1 << 6,
	CTRL_RESET = 1 << 26,
	STATUS_LINK_UP = 1 << 1,
	STATUS_SPEED_SHIFT = 6, // 0: 10, 1: 100, 2 and 3: 1000 Mb/s
	STATUS_SPEED_MASK = 3,

	EERD_START = 1 << 0,
	EERD_DONE = 1 << 4,
	EERD_ADDRESS_SHIFT = 8,
	EERD_DATA_SHIFT = 16,
	EEPROM_MAC_WORDS = 3, // words 0 to 2

	CAUSE_TRANSMITTED = 1 << 0,
	CAUSE_LINK = 1 << 2,
	CAUSE_RECEIVE_LOW = 1 << 4,
	CAUSE_RECEIVE_OVERRUN = 1 << 6,
	CAUSE_RECEIVED = 1 << 7,

	RCTL_ENABLE = 1 << 1,
	RCTL_ALL_UNICAST = 1 << 3,
	RCTL_ALL_MULTICAST = 1 << 4,
	RCTL_BROADCAST = 1 << 15,
	RCTL_STRIP_CHECKSUM = 1 << 26, // buffers of 2048 bytes are the default
	TCTL_ENABLE = 1 << 1,
	TCTL_PAD = 1 << 3,
	TCTL_COLLISION_THRESHOLD = 0x0f << 4,
	TCTL_COLLISION_DISTANCE = 0x40 << 12,
	TIPG_COPPER = 10 | 8 << 10 | 6 << 20, // 13.4.34

	RECEIVE_DONE = 1 << 0, // status of a descriptor
	RECEIVE_END = 1 << 1, // the frame ends in this buffer
	TRANSMIT_END = 1 << 0, // command of a descriptor
	TRANSMIT_ADD_CHECKSUM = 1 << 1,
	TRANSMIT_REPORT = 1 << 3,
	TRANSMIT_DONE = 1 << 0, // status
};

struct e1000_receive_descriptor {
	volatile uint64_t address;
	volatile uint16_t length;
	volatile uint16_t checksum;
	volatile uint8_t status;
	volatile uint8_t errors;
	volatile uint16_t special;
};

struct e1000_transmit_descriptor {
	volatile uint64_t address;
	volatile uint16_t length;
	volatile uint8_t checksum_offset;
	volatile uint8_t command;
	volatile uint8_t status;
	volatile uint8_t checksum_start;
	volatile uint16_t special;
};

_Static_assert(sizeof(struct e1000_receive_descriptor) == 16);
_Static_assert(sizeof(struct e1000_transmit_descriptor) == 16);
