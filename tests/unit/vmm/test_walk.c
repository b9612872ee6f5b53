// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the page-table walk.
#include "../check.h"

#include <vmm/vcpu/walk.h>

#include <string.h>

static uint64_t tables[8][512];
static const struct guest_memory table_memory = {(uint8_t *)tables, sizeof(tables), 40};
static const struct paging long_mode = {.cr0 = CR0_PG | CR0_WP, .cr4 = CR4_PAE, .efer = EFER_LMA};

static void build_long(void) {
	memset(tables, 0, sizeof(tables));
	tables[0][1] = 0x1007;
	tables[1][2] = 0x2007;
	tables[1][3] = 0x40000087; // 1 GiB page
	tables[2][3] = 0x3007;
	tables[2][4] = 0x00600083; // 2 MiB page, supervisor
	tables[3][4] = 0x5007;
	tables[3][5] = 0x6005; // read-only
}

static const uint64_t at_4k = 1ull << 39 | 2ull << 30 | 3ull << 21 | 4ull << 12 | 0x123;

static void test_walk_long(void) {
	build_long();
	struct walk walk = {.linear = at_4k, .access = WALK_WRITE | WALK_USER};

	check(walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.physical.value, 0x5123);
	check_equal(tables[3][4], 0x5067); // accessed and dirty
	check_equal(tables[0][1], 0x1027);
	walk = (struct walk){.linear = 1ull << 39 | 3ull << 30 | 0x1234567};
	check(walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.physical.value, 0x41234567);
	walk = (struct walk){.linear = 1ull << 39 | 2ull << 30 | 4ull << 21 | 0x12345};
	check(walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.physical.value, 0x612345);
}

static void test_walk_faults(void) {
	build_long();
	struct walk walk = {.linear = at_4k + 0x1000, .access = WALK_WRITE};

	check(!walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.error_code, 3);
	struct paging no_protect = long_mode;

	no_protect.cr0 = CR0_PG;
	check(walk_translate(&table_memory, &no_protect, &walk));
	walk.access = WALK_WRITE | WALK_USER;
	check(!walk_translate(&table_memory, &no_protect, &walk));
	check_equal(walk.error_code, 7);
	walk = (struct walk){.linear = 1ull << 39 | 2ull << 30 | 4ull << 21, .access = WALK_USER};
	check(!walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.error_code, 5);
	walk = (struct walk){.linear = 0};
	check(!walk_translate(&table_memory, &long_mode, &walk));
	check_equal(walk.error_code, 0);
	tables[0][7] = 0x000000fffffff007; // a table outside memory
	walk = (struct walk){.linear = 7ull << 39};
	check(!walk_translate(&table_memory, &long_mode, &walk));
	struct paging outside = long_mode;

	outside.cr3 = ~0ull;
	check(!walk_translate(&table_memory, &outside, &walk));
}

static void test_walk_legacy(void) {
	memset(tables, 0, sizeof(tables));
	const struct paging flat = {.cr0 = CR0_PE};
	struct walk walk = {.linear = 0x1fffffff0};

	check(walk_translate(&table_memory, &flat, &walk));
	check_equal(walk.physical.value, 0xfffffff0);
	uint32_t *directory = (uint32_t *)tables[1];
	uint32_t *table = (uint32_t *)tables[2];

	directory[3] = 0x2007;
	directory[4] = 0x00c02087; // 4 MiB page with address bit 32
	table[5] = 0x6007;
	const struct paging legacy = {.cr0 = CR0_PG, .cr3 = 0x1018, .cr4 = CR4_PSE};

	walk = (struct walk){.linear = 3u << 22 | 5u << 12 | 0x42};
	check(walk_translate(&table_memory, &legacy, &walk));
	check_equal(walk.physical.value, 0x6042);
	walk = (struct walk){.linear = 4u << 22 | 0x12345};
	check(walk_translate(&table_memory, &legacy, &walk));
	check_equal(walk.physical.value, 0x100c12345);
	tables[3][1] = 0x4007;
	tables[4][2] = 0x7007;
	// The CPU's copy of the pointers counts, whatever the memory holds by now.
	const struct paging pae = {
		.cr0 = CR0_PG, .cr3 = 0x20, .cr4 = CR4_PAE, .directory = {0, 0, 0x3001, 0x3000}};

	walk = (struct walk){
		.linear = 2ull << 30 | 1u << 21 | 2u << 12 | 0x99, .access = WALK_USER};
	check(walk_translate(&table_memory, &pae, &walk));
	check_equal(walk.physical.value, 0x7099);
	walk = (struct walk){.linear = 3ull << 30 | 1u << 21 | 2u << 12};
	check(!walk_translate(&table_memory, &pae, &walk));
	check_equal(walk.error_code, 0);
	// A CPU without a copy reads the pointer.
	const struct paging uncopied = {
		.cr0 = CR0_PG, .cr3 = 0x20, .cr4 = CR4_PAE, .directory_in_memory = true};

	tables[0][4 + 2] = 0x3001;
	walk = (struct walk){.linear = 2ull << 30 | 1u << 21 | 2u << 12 | 0x99};
	check(walk_translate(&table_memory, &uncopied, &walk));
	check_equal(walk.physical.value, 0x7099);
	tables[0][4 + 2] = 0;
	check(!walk_translate(&table_memory, &uncopied, &walk));
}

// The error code of an access to the page of 4 KiB, or PASSED.
static const uint32_t PASSED = UINT32_MAX;

static uint32_t try(const struct paging *paging, uint64_t linear, unsigned access) {
	struct walk walk = {.linear = linear, .access = access};

	return walk_translate(&table_memory, paging, &walk) ? PASSED : walk.error_code;
}

static void test_supervisor(void) {
	struct paging paging = long_mode;

	build_long();
	paging.cr4 |= CR4_SMAP;
	check_equal(try(&paging, at_4k, WALK_READ), 1);
	check_equal(try(&paging, at_4k, WALK_WRITE), 3);
	check_equal(try(&paging, at_4k, WALK_WRITE | WALK_FLAG_AC), PASSED);
	check_equal(try(&paging, at_4k, WALK_USER), PASSED);
	check_equal(try(&paging, at_4k, WALK_FETCH), PASSED);
	paging.cr4 = CR4_PAE | CR4_SMEP;
	check_equal(try(&paging, at_4k, WALK_READ), PASSED);
	check_equal(try(&paging, at_4k, WALK_FETCH), 0x11);
	check_equal(try(&paging, at_4k, WALK_FETCH | WALK_FLAG_AC), 0x11);
	check_equal(try(&paging, at_4k, WALK_FETCH | WALK_USER), PASSED);
	tables[1][2] &= ~4ull; // one supervisor entry makes a supervisor page
	check_equal(try(&paging, at_4k, WALK_FETCH), PASSED);
	paging.cr4 |= CR4_SMAP;
	check_equal(try(&paging, at_4k, WALK_READ), PASSED);
	check_equal(try(&paging, at_4k, WALK_FETCH | WALK_USER), 0x15);
}

static void test_no_execute(void) {
	struct paging paging = long_mode;

	build_long();
	tables[1][2] |= 1ull << 63;
	check_equal(try(&paging, at_4k, WALK_READ), 9); // reserved without NXE
	paging.efer |= EFER_NXE;
	check_equal(try(&paging, at_4k, WALK_READ), PASSED);
	check_equal(try(&paging, at_4k, WALK_FETCH), 0x11);
	check_equal(try(&paging, at_4k + (1ull << 30), WALK_FETCH), PASSED);
	// Neither NXE nor SMEP: fetches are not distinguished.
	paging.efer = EFER_LMA;
	check_equal(try(&paging, 0, WALK_FETCH), 0);
}

static void test_reserved(void) {
	static const struct {
		unsigned table, index;
		uint64_t bits;
	} rows[] = {{0, 1, 0x80}, {0, 1, 1ull << 40}, {1, 2, 1ull << 51}, {2, 3, 1ull << 41},
		{3, 4, 1ull << 40}, {2, 3, 0x2080}, {1, 2, 0x2000080}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build_long();
		check_equal(try(&long_mode, at_4k, WALK_READ), PASSED);
		tables[rows[i].table][rows[i].index] |= rows[i].bits;
		check_equal(try(&long_mode, at_4k, WALK_READ), 9);
	}
	build_long();
	tables[3][4] |= 0x7ffull << 52 | 0x80; // ignored bits, and a memory type
	check_equal(try(&long_mode, at_4k, WALK_READ), PASSED);
	memset(tables, 0, sizeof(tables));
	tables[1][0] = 0x2007 | 1ull << 52;
	const struct paging pae = {.cr0 = CR0_PG, .cr4 = CR4_PAE, .directory = {0x1001}};

	check_equal(try(&pae, 0, WALK_READ), 9);
}

int main(void) {
	static const struct test tests[] = {
		{"walk.long", "four-level walks reach pages of all sizes", test_walk_long},
		{"walk.faults", "faults carry the right error code", test_walk_faults},
		{"walk.legacy", "no paging, 32-bit and PAE walks work", test_walk_legacy},
		{"walk.supervisor", "SMAP and SMEP confine supervisor code", test_supervisor},
		{"walk.no_execute", "NX keeps fetches out where NXE is set", test_no_execute},
		{"walk.reserved", "reserved bits fault as such", test_reserved},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
