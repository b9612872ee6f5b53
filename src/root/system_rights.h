// SPDX-License-Identifier: BSD-2-Clause
// Records of system.img that give domains, guests and devices something: channels, interrupts, I/O
// ports, capabilities, memory for devices, time.
#pragma once

#include <stdint.h>

enum {
	SYSTEM_NAME_LENGTH = 64, // a NUL included
};

enum system_irq_kind {
	SYSTEM_IRQ_IOAPIC, // arguments: unit, pin, level, polarity
	SYSTEM_IRQ_MSI, // arguments: bus, device, function, handle
};

struct system_irq {
	uint32_t domain;
	uint32_t id;
	uint32_t kind;
	uint32_t vector;
	uint32_t arguments[4];
};

struct system_port {
	uint32_t domain;
	uint32_t id;
	uint32_t first;
	uint32_t last;
};

enum system_end_flags {
	SYSTEM_END_NOTIFY = 1 << 0, // the domain may notify the peer
	SYSTEM_END_CALL = 1 << 1, // the domain may call the peer
};

struct system_end {
	uint32_t domain;
	uint32_t id;
	uint32_t peer;
	uint32_t peer_id;
	uint32_t flags;
	uint32_t padding;
};

struct system_guest {
	char name[SYSTEM_NAME_LENGTH];
	uint32_t domain; // its monitor
	uint32_t vcpu_id;
};

enum system_cap_kind {
	SYSTEM_CAP_TCB,
	SYSTEM_CAP_SCHED_CONTEXT,
	SYSTEM_CAP_SPACE,
	SYSTEM_CAP_KINDS,
};

// A capability of `target` in the root CNode of `domain`.
struct system_cap {
	uint32_t domain;
	uint32_t slot;
	uint32_t kind;
	uint32_t target;
};

// What a device may reach through the IOMMU.
struct system_io_space {
	char name[SYSTEM_NAME_LENGTH];
	uint32_t device; // bus << 8 | device << 3 | function
	uint32_t domain_id;
};

struct system_io_map {
	uint32_t space;
	uint32_t region;
	uint32_t access;
	uint32_t padding;
	uint64_t address;
};

enum system_unit {
	SYSTEM_UNIT_TICKS,
	SYSTEM_UNIT_MICROSECONDS,
};

// An entry of the domain schedule; duration 0 is an end marker.
struct system_slice {
	uint32_t time_domain;
	uint32_t unit;
	uint64_t duration;
};

_Static_assert(sizeof(struct system_irq) == 32);
_Static_assert(sizeof(struct system_port) == 16);
_Static_assert(sizeof(struct system_end) == 24);
_Static_assert(sizeof(struct system_guest) == 72);
_Static_assert(sizeof(struct system_cap) == 16);
_Static_assert(sizeof(struct system_io_space) == 72);
_Static_assert(sizeof(struct system_io_map) == 24);
_Static_assert(sizeof(struct system_slice) == 16);
