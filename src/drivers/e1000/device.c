// SPDX-License-Identifier: BSD-2-Clause
// The card's registers.
#include <drivers/e1000/device.h>

#include <drivers/e1000/rings.h>

enum {
	POLLS = 1000000,
	RING_BYTES = E1000_DESCRIPTORS * 16,
	INTERRUPT_SPACING = 200, // 51 us
	CAUSES = CAUSE_TRANSMITTED | CAUSE_LINK | CAUSE_RECEIVE_LOW | CAUSE_RECEIVE_OVERRUN |
		CAUSE_RECEIVED,
};

// Written by e1000_reset only.
static volatile uint32_t *registers;

static uint32_t read(enum e1000_register offset) { return registers[offset / 4]; }

static void write(enum e1000_register offset, uint32_t value) { registers[offset / 4] = value; }

void e1000_reset(uint64_t registers_vaddr) {
	registers = (volatile uint32_t *)registers_vaddr;
	write(E1000_IMC, ~0u);
	write(E1000_RCTL, 0);
	write(E1000_TCTL, 0);
	write(E1000_CTRL, read(E1000_CTRL) | CTRL_RESET);
	for (int i = 0; i < POLLS && read(E1000_CTRL) & CTRL_RESET; i++)
		;
	// The reset has set its own interrupt moderation.
	write(E1000_IMC, ~0u);
	(void)read(E1000_ICR);
}

static bool eeprom_read(unsigned address, uint16_t *word) {
	write(E1000_EERD, address << EERD_ADDRESS_SHIFT | EERD_START);
	for (int i = 0; i < POLLS; i++) {
		uint32_t value = read(E1000_EERD);

		if (!(value & EERD_DONE)) continue;
		*word = (uint16_t)(value >> EERD_DATA_SHIFT);
		return true;
	}
	return false;
}

void e1000_read_mac(uint8_t mac[NET_MAC_BYTES]) {
	uint64_t address = 0;

	for (unsigned i = 0; i < EEPROM_MAC_WORDS; i++) {
		uint16_t word;

		if (!eeprom_read(i, &word)) {
			address = (uint64_t)read(E1000_RAH0) << 32 | read(E1000_RAL0);
			break;
		}
		address |= (uint64_t)word << 16 * i;
	}
	for (unsigned i = 0; i < NET_MAC_BYTES; i++)
		mac[i] = (uint8_t)(address >> 8 * i);
}

void e1000_start(const struct e1000_addresses *addresses) {
	write(E1000_CTRL, read(E1000_CTRL) | CTRL_AUTO_SPEED | CTRL_LINK_UP);
	for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
		registers[E1000_MTA / 4 + i] = 0;

	write(E1000_RDBAL, (uint32_t)addresses->receive);
	write(E1000_RDBAH, (uint32_t)(addresses->receive >> 32));
	write(E1000_RDLEN, RING_BYTES);
	write(E1000_RDH, 0);
	write(E1000_RDT, 0);
	write(E1000_RDTR, 0);
	write(E1000_TDBAL, (uint32_t)addresses->transmit);
	write(E1000_TDBAH, (uint32_t)(addresses->transmit >> 32));
	write(E1000_TDLEN, RING_BYTES);
	write(E1000_TDH, 0);
	write(E1000_TDT, 0);

	write(E1000_TIPG, TIPG_COPPER);
	write(E1000_TCTL,
		TCTL_ENABLE | TCTL_PAD | TCTL_COLLISION_THRESHOLD | TCTL_COLLISION_DISTANCE);
	write(E1000_RCTL,
		RCTL_ENABLE | RCTL_ALL_UNICAST | RCTL_ALL_MULTICAST | RCTL_BROADCAST |
			RCTL_STRIP_CHECKSUM);
	write(E1000_ITR, INTERRUPT_SPACING);
	write(E1000_IMS, CAUSES);
}

uint32_t e1000_causes(void) { return read(E1000_ICR); }

struct e1000_link e1000_link(void) {
	static const unsigned speeds[] = {10, 100, 1000, 1000};
	uint32_t status = read(E1000_STATUS);

	return (struct e1000_link){
		.is_up = status & STATUS_LINK_UP,
		.megabits = speeds[status >> STATUS_SPEED_SHIFT & STATUS_SPEED_MASK],
	};
}

void e1000_receive_to(unsigned tail) { write(E1000_RDT, tail); }

void e1000_transmit_to(unsigned tail) { write(E1000_TDT, tail); }
