// SPDX-License-Identifier: BSD-2-Clause
// Layout of system.img: what tools/compose.py writes and the initial task reads. Little-endian,
// fixed-size records; a table per kind; page-aligned data of segments and regions at the end.
// tools/compose/image.py names the same fields in the same order.
#pragma once

#include <root/system_rights.h>

#define SYSTEM_IMAGE_MAGIC "NACRESYS"

enum {
	SYSTEM_IMAGE_VERSION = 2,
	SYSTEM_MAX_DOMAINS = 63,
	SYSTEM_MAX_GUESTS = 63,
	SYSTEM_MAX_IRQS = 108,
	SYSTEM_MAX_RECORDS = 4096, // in any table
	SYSTEM_MAX_ID = 61,
	SYSTEM_MAX_USER_SLOT = 63,
	SYSTEM_MAX_TIME_DOMAIN = 15,
	SYSTEM_MAX_SLICES = 99,
};

#define SYSTEM_ANY_ADDRESS (~0ul)
#define SYSTEM_NONE 0xffffffffu // in place of an index

enum system_table_kind {
	SYSTEM_DOMAINS,
	SYSTEM_SEGMENTS,
	SYSTEM_REGIONS,
	SYSTEM_MAPS,
	SYSTEM_IRQS,
	SYSTEM_PORTS,
	SYSTEM_ENDS,
	SYSTEM_GUESTS,
	SYSTEM_CAPS,
	SYSTEM_IO_SPACES,
	SYSTEM_IO_MAPS,
	SYSTEM_SLICES,
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
	uint32_t schedule_start; // index among the slices
	uint32_t schedule_shift; // index in the kernel's schedule of the first slice
	struct system_table tables[SYSTEM_TABLE_COUNT];
};

enum system_domain_flags {
	SYSTEM_DOMAIN_PASSIVE = 1 << 0,
	SYSTEM_DOMAIN_NO_FPU = 1 << 1,
	SYSTEM_DOMAIN_CALLABLE = 1 << 2, // receives on an endpoint: callee, parent, guest's monitor
	SYSTEM_DOMAIN_RESTART = 1 << 3, // after a fault; else it stays stopped
	SYSTEM_DOMAIN_OWN_THREAD = 1 << 4, // holds its own TCB
};

// A parent stands before its children.
struct system_domain {
	char name[SYSTEM_NAME_LENGTH];
	uint64_t entry;
	uint64_t stack_size;
	uint64_t budget; // microseconds
	uint64_t period;
	uint64_t symbols_offset; // symbol_count of struct system_symbol, then their names
	uint32_t priority;
	uint32_t flags;
	uint32_t guest; // index of the guest it monitors, or SYSTEM_NONE
	uint32_t parent; // index of the domain that handles its faults, or SYSTEM_NONE
	uint32_t child_id; // in the parent
	uint32_t time_domain;
	uint32_t restart_limit;
	uint32_t restart_backoff; // microseconds before the first restart
	uint32_t symbol_count;
	uint32_t names_size; // the last byte is a NUL
};

// A function of a program, in ascending order of addresses.
struct system_symbol {
	uint64_t address;
	uint32_t size;
	uint32_t name; // offset in the names
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

_Static_assert(sizeof(struct system_header) == 32 + 16 * SYSTEM_TABLE_COUNT);
_Static_assert(sizeof(struct system_domain) == 144);
_Static_assert(sizeof(struct system_symbol) == 16);
_Static_assert(sizeof(struct system_segment) == 40);
_Static_assert(sizeof(struct system_region) == 104);
_Static_assert(sizeof(struct system_map) == 24);
