// SPDX-License-Identifier: BSD-2-Clause
// Registers of the I/O APIC (82093AA data sheet, with the EOI register of version 20h).
#pragma once

enum ioapic_offset { IOAPIC_SELECT = 0x00, IOAPIC_WINDOW = 0x10, IOAPIC_EOI = 0x40 };

enum ioapic_index {
	IOAPIC_ID = 0x00,
	IOAPIC_VERSION = 0x01,
	IOAPIC_ARBITRATION = 0x02,
	IOAPIC_REDIRECTION = 0x10, // two registers a pin, low word first
};

// Of a pin's low word, and of its high one.
enum redirection_bit {
	REDIRECTION_VECTOR = 0xff,
	REDIRECTION_MESSAGE = 0x87ff, // vector, delivery, trigger: as in the data of an MSI
	REDIRECTION_LOGICAL = 1 << 11,
	REDIRECTION_LOW_ACTIVE = 1 << 13,
	REDIRECTION_REMOTE_REQUEST = 1 << 14,
	REDIRECTION_LEVEL = 1 << 15,
	REDIRECTION_MASKED = 1 << 16,
	REDIRECTION_TARGET_SHIFT = 24,
};
