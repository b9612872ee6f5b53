// SPDX-License-Identifier: BSD-2-Clause
// GDT, TSS and IDT (SDM 3A, chapters 3, 6 and 8).
#pragma once

#include <base/compiler.h>
#include <x86/vector.h>

struct cpu;

// SYSRET takes CS and SS from two neighbours, CS above SS, so user data is on both sides of
// user code: SYSRET loads 0x23, IRETQ the ABI's 0x33, and the two descriptors are equal.
enum selector {
	SELECTOR_KERNEL_CODE = 0x08,
	SELECTOR_KERNEL_DATA = 0x10,
	SELECTOR_SYSRET_BASE = 0x1b,
	SELECTOR_SYSRET_DATA = 0x23,
	SELECTOR_USER_CODE = 0x2b,
	SELECTOR_USER_DATA = 0x33,
	SELECTOR_TSS = 0x38,
};

// Descriptors (SDM 3A 3.4.5) of ring 0: base 0, limit ignored in 64-bit mode.
#define DESCRIPTOR_CODE 0x00209b0000000000ul
#define DESCRIPTOR_DATA 0x0000930000000000ul
#define DESCRIPTOR_USER 0x0000600000000000ul // with it of ring 3

enum vector {
	VECTOR_MESSAGES = 16, // from here on devices can send as a message (SDM 3A 11.11.2)
	VECTOR_PIC = 32, // each PIC, masked; only spurious interrupts can come
	VECTOR_IOMMU = 44, // a unit has recorded a fault
	VECTOR_CORE = 45, // another core has something to do for this one, or to run
	VECTOR_APIC_ERROR = 46,
	VECTOR_TIMER = 47, // below devices in priority, so that none waits behind deadlines
	VECTOR_USER_FIRST = 48, // device interrupts: user vector 0
	VECTOR_USER_LAST = 155,
	VECTOR_CALL_FIRST = 158, // INT n by programs: unknown system calls
	VECTOR_CALL_LAST = 254,
	VECTOR_SPURIOUS = 255,
	VECTOR_COUNT = 256,
};

#define STUB_SIZE 16 // entry code has one stub a vector, this far apart

struct [[gnu::packed]] table_register {
	uint16_t limit;
	const void *base;
};

struct [[gnu::packed]] task_state {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t reserved2;
	uint64_t ist[7];
	uint64_t reserved3;
	uint16_t reserved4;
	uint16_t port_bitmap; // offset; at the limit: none
};

_Static_assert(sizeof(struct task_state) == 104);

enum { GDT_ENTRIES = SELECTOR_TSS / 8 + 2, IST_STACKS = 3 };

// The entry points of SYSCALL: with fast paths of one core, of several, or without any. All are
// equal where there are no fast paths.
enum syscall_entry {
	SYSCALL_ENTRY_FAST,
	SYSCALL_ENTRY_CORES,
	SYSCALL_ENTRY_PLAIN,
	SYSCALL_ENTRIES
};

// Fills and loads the core's tables and the SYSCALL MSRs: exceptions come to the stubs. Once a
// core.
void segments_init(struct cpu *cpu, const char *stubs);

// From now on system calls enter the kernel here.
void segments_use_entry(enum syscall_entry entry);
