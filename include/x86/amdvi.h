// SPDX-License-Identifier: BSD-2-Clause
// Registers and structures of AMD's I/O virtualization (AMD-Vi; publication 48882, revision 3.07:
// capability 3.2, registers 3.4, device table 2.2.2, page tables 2.2.3, commands 2.4, events 2.5).
#pragma once

#include <stdint.h>

// Of the unit's PCI function, from the start of its capability block.
enum amdvi_capability {
	AMDVI_CAPABILITY_WIDTHS = 0x10,
	AMDVI_CAPABILITY_SIZE = 0x14,
};

#define AMDVI_CAPABILITY_KIND 0x700ffu // of the header: id and type
#define AMDVI_CAPABILITY_IOMMU 0x3000fu
#define AMDVI_CACHES_ABSENT (1u << 26) // what is not there is cached, too
#define AMDVI_HAS_FEATURES (1u << 27)
#define AMDVI_WIDTH_SHIFT 15 // of the widths: 7 bits, of a DMA address

enum amdvi_register {
	AMDVI_DEVICES = 0x00,
	AMDVI_COMMANDS = 0x08,
	AMDVI_EVENTS = 0x10,
	AMDVI_CONTROL = 0x18,
	AMDVI_EXCLUSION = 0x20,
	AMDVI_FEATURES = 0x30,
	AMDVI_COMMAND_HEAD = 0x2000,
	AMDVI_COMMAND_TAIL = 0x2008,
	AMDVI_EVENT_HEAD = 0x2010,
	AMDVI_EVENT_TAIL = 0x2018,
	AMDVI_STATUS = 0x2020,
	AMDVI_REGISTERS = 0x4000, // bytes
};

#define AMDVI_PAGE_OF_ENTRIES (8ul << 56) // length of a ring: 256 entries of 16 bytes

// Of the control register.
#define AMDVI_ON (1ul << 0)
#define AMDVI_EVENTS_ON (1ul << 2)
#define AMDVI_EVENT_INTERRUPT (1ul << 3)
#define AMDVI_COHERENT (1ul << 10) // its tables are read through the caches
#define AMDVI_COMMANDS_ON (1ul << 12)

// What firmware's flags of a unit (5.2.2.1) want of it: HtTunEn, PassPW and ResPassPW, Isoc.
static inline uint64_t amdvi_control(unsigned flags) {
	return (flags & 1ul) << 1 | (flags & 6ul) << 7 | (flags & 8ul) << 8;
}

// Of the status register; the first two are cleared by writing them.
#define AMDVI_EVENTS_LOST (1ul << 0)
#define AMDVI_EVENT_CAME (1ul << 1)
#define AMDVI_EVENTS_RUN (1ul << 3)
#define AMDVI_COMMANDS_RUN (1ul << 4)

// Of the features.
#define AMDVI_FORGETS_ALL (1ul << 6)

// A device's entry: four words.
#define AMDVI_BLOCKED 3ul // of word 0: valid, with a translation that lets nothing pass
#define AMDVI_LEVEL_SHIFT 9 // of the root, and of the table that an entry names
#define AMDVI_SILENT (1ul << 34) // of word 1: its page faults are not logged
#define AMDVI_DOMAIN 0xfffful
#define AMDVI_MANAGEMENT_SHIFT 40 // of word 1, two bits
#define AMDVI_PASS_SHIFT 56 // of word 2: interrupts that pass as they are, as in firmware's table

// Page tables.
#define AMDVI_PRESENT (1ul << 0)
#define AMDVI_FORCE_COHERENT (1ul << 60) // of a page
#define AMDVI_READ (1ul << 61)
#define AMDVI_WRITE (1ul << 62)

// Commands, two words each.
#define AMDVI_WAIT (1ul << 60 | 1) // with a word to be written, which the second word is
#define AMDVI_FORGET_DEVICE (2ul << 60)
#define AMDVI_FORGET_PAGES (3ul << 60)
#define AMDVI_FORGET_ALL (8ul << 60)
#define AMDVI_FORGET_DOMAIN_SHIFT 32
#define AMDVI_EVERY_PAGE 0x7ffffffffffff003ul // as the address: with all tables on the way

// Events, of the first word.
#define AMDVI_EVENT_SHIFT 60
#define AMDVI_EVENT_REASON_SHIFT 48 // its flags, too
#define AMDVI_EVENT_WRITE (1ul << 53)

enum amdvi_event {
	AMDVI_EVENT_NONE = 0,
	AMDVI_EVENT_TABLE_ERROR = 4, // up to here of a device
	AMDVI_EVENT_INVALID_REQUEST = 8, // likewise
};
