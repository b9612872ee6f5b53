// SPDX-License-Identifier: BSD-2-Clause
// Registers and structures of Intel's units that remap DMA and interrupts (VT-d, revision 4.1:
// registers 11.4, structures 9, commands of the queue 6.5.2).
#pragma once

#include <stdint.h>

enum vtd_register {
	VTD_CAPABILITY = 0x08,
	VTD_EXTENDED = 0x10,
	VTD_COMMAND = 0x18,
	VTD_STATUS = 0x1c,
	VTD_ROOT = 0x20,
	VTD_FAULT_STATUS = 0x34,
	VTD_FAULT_CONTROL = 0x38,
	VTD_FAULT_DATA = 0x3c,
	VTD_FAULT_ADDRESS = 0x40,
	VTD_FAULT_ADDRESS_HIGH = 0x44,
	VTD_PROTECTED = 0x64,
	VTD_QUEUE_TAIL = 0x88,
	VTD_QUEUE = 0x90,
	VTD_ENTRIES = 0xb8,
};

// Of the commands and of the status.
#define VTD_TRANSLATION (1u << 31)
#define VTD_ROOT_SET (1u << 30)
#define VTD_BUFFER_FLUSH (1u << 27)
#define VTD_QUEUE_ON (1u << 26)
#define VTD_INTERRUPTS (1u << 25) // are remapped
#define VTD_ENTRIES_SET (1u << 24)
#define VTD_COMPATIBLE (1u << 23) // interrupts that name no entry pass
#define VTD_LASTING 0x96ffffffu // bits of the status that a command repeats

// Of the capability register.
#define VTD_CAP_DOMAINS 0x7ul // there are 2^(4 + 2n)
#define VTD_CAP_BUFFER (1ul << 4) // writes wait in a buffer that must be flushed
#define VTD_CAP_PROTECTED (3ul << 5)
#define VTD_CAP_CACHING (1ul << 7) // what is not there is cached, too
#define VTD_CAP_LEVELS_SHIFT 8 // bit n: tables of 2 + n levels
#define VTD_CAP_WIDTH_SHIFT 16 // bits of a DMA address, less one
#define VTD_CAP_FAULTS_SHIFT 24 // place of the fault records, in 16 bytes
#define VTD_CAP_PAGES_SHIFT 34 // bit 0: 2 MiB pages, bit 1: 1 GiB pages
#define VTD_CAP_BY_PAGE (1ul << 39) // one page's translations can be invalidated
#define VTD_CAP_FAULT_COUNT_SHIFT 40 // fault records, less one
#define VTD_CAP_DRAIN_SHIFT 54 // writes and reads, a bit each: in the order of invalidations
#define VTD_DRAIN 3ul

// Of the extended capability register.
#define VTD_EXT_COHERENT (1ul << 0) // tables are read through the caches
#define VTD_EXT_QUEUE (1ul << 1)
#define VTD_EXT_INTERRUPTS (1ul << 3)
#define VTD_EXT_WIDE (1ul << 4) // ids of APICs have 32 bits
#define VTD_EXT_SNOOP (1ul << 7)

// The root table's entry of a bus, and a device's entry in the table that it names.
#define VTD_PRESENT 1ul
#define VTD_SILENT (1ul << 1) // of a device: its faults are not recorded, present or not
#define VTD_CONTEXT_LEVELS 2 // of tables that the number 0 means
#define VTD_CONTEXT_DOMAIN_SHIFT 8

// Second-stage tables.
#define VTD_READ (1ul << 0)
#define VTD_WRITE (1ul << 1)
#define VTD_SNOOP (1ul << 11)

// The register of the table of interrupts, beside its address.
#define VTD_ENTRIES_WIDE (1ul << 11)
#define VTD_ENTRIES_256 7ul // 2^(n + 1)

// An entry: the low word, and in the high one the only device that may use it.
#define VTD_ENTRY_LEVEL (1ul << 4)
#define VTD_ENTRY_VECTOR_SHIFT 16
#define VTD_ENTRY_TARGET_SHIFT 40
#define VTD_ENTRY_WIDE_TARGET_SHIFT 32
#define VTD_ENTRY_VERIFIED (1ul << 18) // all bits of the number behind

// The high word of an I/O APIC's pin (5.1.5.1).
#define VTD_PIN_REMAPPED (1u << 16)
#define VTD_PIN_ENTRY_SHIFT 17

// How much an invalidation concerns.
enum vtd_extent { VTD_ALL = 1, VTD_DOMAIN = 2, VTD_PAGE = 3 };

// Commands of the queue, two words each.
#define VTD_QUEUE_CONTEXTS 1ul
#define VTD_QUEUE_IOTLB 2ul
#define VTD_QUEUE_INTERRUPTS 4ul // all entries, or one
#define VTD_QUEUE_WAIT 5ul
#define VTD_QUEUE_EXTENT_SHIFT 4
#define VTD_QUEUE_DRAIN_SHIFT 6
#define VTD_QUEUE_DOMAIN_SHIFT 16
#define VTD_QUEUE_ONE_ENTRY (1ul << 4)
#define VTD_QUEUE_ENTRY_SHIFT 32
#define VTD_QUEUE_ANSWER (3ul << 5) // of a wait: write a word, behind all before
#define VTD_QUEUE_WORD_SHIFT 32

// Of the fault status, and of a record's high word.
#define VTD_FAULT_LOST (1u << 0)
#define VTD_FAULT_PENDING (1u << 1) // a record is valid
#define VTD_RECORD_VALID (1ul << 63)
#define VTD_RECORD_READ (1ul << 62)
#define VTD_RECORD_REASON_SHIFT 32
#define VTD_RECORD_ENTRY_SHIFT 48 // of the low word: which one an interrupt named
#define VTD_REASON_INTERRUPT 0x20 // the first of 16

// Where the fault records of a unit with this capability register are.
static inline unsigned vtd_fault_records(uint64_t capability) {
	return (unsigned)(capability >> VTD_CAP_FAULTS_SHIFT & 0x3ff) * 16;
}

static inline unsigned vtd_fault_end(uint64_t capability) {
	return vtd_fault_records(capability) +
		(unsigned)((capability >> VTD_CAP_FAULT_COUNT_SHIFT & 0xff) + 1) * 16;
}
