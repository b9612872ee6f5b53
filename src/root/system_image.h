// SPDX-License-Identifier: BSD-2-Clause
// Layout of system.img: what tools/compose.py writes and the initial task reads. Little-endian,
// fixed-size records; a table per kind; page-aligned data of segments and regions at the end.
// tools/compose/image.py names the same fields in the same order.
#pragma once

#include <stdint.h>

#define SYSTEM_IMAGE_MAGIC "NACRESYS"

enum {
	SYSTEM_IMAGE_VERSION = 1,
	SYSTEM_NAME_LENGTH = 64, // a NUL included
	SYSTEM_MAX_DOMAINS = 63,
	SYSTEM_MAX_GUESTS = 63,
	SYSTEM_MAX_RECORDS = 4096, // in any table
	SYSTEM_MAX_ID = 61,
	SYSTEM_NO_GUEST = 0xffffffff,
};

#define SYSTEM_ANY_ADDRESS (~0ul)

enum system_table_kind {
	SYSTEM_DOMAINS,
	SYSTEM_SEGMENTS,
	SYSTEM_REGIONS,
	SYSTEM_MAPS,
	SYSTEM_IRQS,
	SYSTEM_PORTS,
	SYSTEM_ENDS,
	SYSTEM_GUESTS,
	SYSTEM_TABLE_COUNT,
};

struct system_table {
	uint64_t offset;
	uint32_t count;
	uint32_t record_size;
};

struct system_header {
	char magic[8];
	uint32_t version;
	uint32_t table_count;
	uint64_t size; // of the whole image
	struct system_table tables[SYSTEM_TABLE_COUNT];
};

enum system_domain_flags {
	SYSTEM_DOMAIN_PASSIVE = 1 << 0,
	SYSTEM_DOMAIN_NO_FPU = 1 << 1,
	SYSTEM_DOMAIN_CALLABLE = 1 << 2, // receives on an endpoint: callee, or monitor of a guest
};

struct system_domain {
	char name[SYSTEM_NAME_LENGTH];
	uint64_t entry;
	uint64_t stack_size;
	uint64_t budget; // microseconds
	uint64_t period;
	uint32_t priority;
	uint32_t flags;
	uint32_t guest; // index of the guest it monitors, or SYSTEM_NO_GUEST
	uint32_t padding;
};

enum system_access {
	SYSTEM_READ = 1 << 0,
	SYSTEM_WRITE = 1 << 1,
	SYSTEM_EXECUTE = 1 << 2,
	SYSTEM_UNCACHED = 1 << 3,
};

// Loadable part of a domain's program; pages are private to the domain.
struct system_segment {
	uint32_t domain;
	uint32_t access;
	uint64_t vaddr;
	uint64_t memory_size;
	uint64_t data_offset; // page aligned; byte 0 belongs at vaddr
	uint64_t data_size; // the rest of memory_size is zero
};

struct system_region {
	char name[SYSTEM_NAME_LENGTH];
	uint64_t size;
	uint64_t paddr; // or SYSTEM_ANY_ADDRESS
	uint64_t data_offset;
	uint64_t data_size;
	uint32_t page_bits; // 12 or 21
	uint32_t bootinfo_chunk; // extra bootinfo to copy in, 0 for none
};

enum system_owner {
	SYSTEM_OWNER_DOMAIN,
	SYSTEM_OWNER_GUEST,
};

struct system_map {
	uint32_t region;
	uint32_t owner_kind;
	uint32_t owner;
	uint32_t access;
	uint64_t address;
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

_Static_assert(sizeof(struct system_header) == 24 + 16 * SYSTEM_TABLE_COUNT);
_Static_assert(sizeof(struct system_domain) == 112);
_Static_assert(sizeof(struct system_segment) == 40);
_Static_assert(sizeof(struct system_region) == 104);
_Static_assert(sizeof(struct system_map) == 24);
_Static_assert(sizeof(struct system_irq) == 32);
_Static_assert(sizeof(struct system_port) == 16);
_Static_assert(sizeof(struct system_end) == 24);
_Static_assert(sizeof(struct system_guest) == 72);
