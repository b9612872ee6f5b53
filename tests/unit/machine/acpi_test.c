// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables at low and high addresses, whole and damaged. Each read is of a copy of its own, so
// that the address sanitizer sees what goes beyond it.
#include "test.h"

#include <base/compiler.h>
#include <cpu/acpi.h>
#include <stdlib.h>
#include <string.h>

enum {
	SIZE = 4096, // of each piece of memory
	RSDP_AT = 0x40, // of the BIOS, the rest of a piece
	XSDT_AT = 0x100,
	MADT_AT = 0x400,
	FADT_AT = 0xc00,
	HPET_AT = 0xd80,
	DAMAGES = 20000,
};

#define LOW 0x100000ul
#define HIGH 0x240000000ul // above 4 GiB

static uint8_t bios[0x20000]; // from 0xe0000
static uint8_t low[SIZE], high[SIZE];
static bool is_high_shown;
static struct acpi_facts facts;
static uint8_t rsdp[36];

static const void *find(uint64_t address, uint64_t size) {
	if (address >= 0xe0000 && address + size <= 0x100000) return bios + (address - 0xe0000);
	if (address >= LOW && address - LOW + size <= SIZE) return low + (address - LOW);
	if (is_high_shown && address >= HIGH && address - HIGH + size <= SIZE)
		return high + (address - HIGH);
	return NULL;
}

static const void *read_memory(uint64_t address, uint64_t size) {
	static void *copies[64];
	static unsigned next;
	void **copy = &copies[next++ % array_count(copies)];
	const void *found = size <= SIZE ? find(address, size) : NULL;

	if (!found) return NULL;
	free(*copy);
	*copy = malloc(size ? size : 1);
	return memcpy(*copy, found, size);
}

static void sum_fix(uint8_t *bytes, size_t size, size_t at) {
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

static void table(uint8_t *at, const char *signature, uint32_t size) {
	memcpy(at, signature, 4);
	memcpy(at + 4, &size, 4);
	sum_fix(at, size, 9);
}

static void put(uint8_t *at, uint64_t value, size_t size) { memcpy(at, &value, size); }

static void ioapic(uint8_t *entry, uint32_t address, uint8_t id) {
	put(entry, 12 << 8 | 1, 2);
	put(entry + 2, id, 1);
	put(entry + 4, address, 4);
}

static void core(uint8_t *entry, uint8_t id, uint32_t flags) {
	put(entry, 8 << 8 | (uint32_t)id << 24, 4);
	put(entry + 4, flags, 4);
}

static void x2apic_core(uint8_t *entry, uint32_t id, uint32_t flags) {
	put(entry, 16 << 8 | 9, 4);
	put(entry + 4, id, 4);
	put(entry + 8, flags, 4);
}

// All tables in one piece of memory whose physical address is base.
static void build(uint8_t *memory, uint64_t base, unsigned ioapics) {
	memset(bios, 0, sizeof(bios));
	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	is_high_shown = true;
	put(memory + XSDT_AT + 36, base + MADT_AT, 8);
	put(memory + XSDT_AT + 44, base + FADT_AT, 8);
	put(memory + XSDT_AT + 52, base + HPET_AT, 8);
	table(memory + XSDT_AT, "XSDT", 60);
	put(memory + MADT_AT + 36, 0x800000, 4); // an address for the local APIC: never believed
	core(memory + MADT_AT + 44, 4, 1);
	core(memory + MADT_AT + 52, 6, 1);
	for (unsigned i = 0; i < ioapics; i++)
		ioapic(memory + MADT_AT + 60 + 12 * i, 0xfec00000 + 0x1000 * i,
			(uint8_t)(0x80 + i));
	table(memory + MADT_AT, "APIC", 60 + 12 * ioapics);
	put(memory + FADT_AT + 76, 0x608, 4);
	table(memory + FADT_AT, "FACP", 244);
	put(memory + HPET_AT + 44, 0xfed00000, 8);
	table(memory + HPET_AT, "HPET", 56);
	memcpy(bios + RSDP_AT, "RSD PTR ", 8);
	bios[RSDP_AT + 15] = 2;
	put(bios + RSDP_AT + 20, 36, 4);
	put(bios + RSDP_AT + 24, base + XSDT_AT, 8);
	sum_fix(bios + RSDP_AT, 20, 8);
	sum_fix(bios + RSDP_AT, 36, 32);
}

static void read_all(void) {
	memset(rsdp, 0, sizeof(rsdp));
	facts = (struct acpi_facts){.reader = read_memory};
	acpi_read(&facts, rsdp);
}

static void check_whole(unsigned ioapics) {
	check(facts.has_madt && !facts.has_hidden);
	check_equal(facts.core_count, 2);
	check(facts.cores[0] == 4 && facts.cores[1] == 6);
	check_equal(facts.ioapic_count, ioapics);
	check_equal(facts.ioapics[ioapics - 1].address, 0xfec00000 + 0x1000 * (ioapics - 1));
	check_equal(facts.ioapics[ioapics - 1].id, 0x80 + ioapics - 1);
	check_equal(facts.timer_port, 0x608);
	check_equal(facts.hpet, 0xfed00000);
}

static void acpi_low(void) {
	build(low, LOW, 1);
	read_all();
	check_whole(1);
	check(memcmp(rsdp, "RSD PTR ", 8) == 0);
}

static void acpi_high(void) {
	build(high, HIGH, 1);
	is_high_shown = false;
	read_all();
	check(facts.has_hidden && !facts.has_madt);
	is_high_shown = true;
	read_all();
	check_whole(1);
}

static void acpi_many_ioapics(void) {
	build(low, LOW, 40);
	read_all();
	check_whole(40);
	build(low, LOW, 100);
	read_all();
	check_equal(facts.ioapic_count, ACPI_MAX_IOAPICS);
}

static void acpi_twice(void) {
	build(low, LOW, 3);
	ioapic(low + MADT_AT + 60, 0xfec02000, 0x80);
	ioapic(low + MADT_AT + 72, 0xfec02010, 0x80);
	table(low + MADT_AT, "APIC", 60 + 12 * 3);
	read_all();
	check_equal(facts.ioapic_count, 1);
}

// Both kinds of entries count once, and those that are not enabled not at all.
static void acpi_cores(void) {
	uint8_t *entries = low + MADT_AT + 60;

	build(low, LOW, 0);
	x2apic_core(entries, 6, 1);
	x2apic_core(entries + 16, 300, 1);
	x2apic_core(entries + 32, 301, 2); // could be enabled
	core(entries + 48, 4, 1);
	core(entries + 56, 7, 0);
	core(entries + 64, 8, 3);
	table(low + MADT_AT, "APIC", 60 + 72);
	read_all();
	check_equal(facts.core_count, 4);
	check(facts.cores[0] == 4 && facts.cores[1] == 6);
	check(facts.cores[2] == 300 && facts.cores[3] == 8);
}

static void acpi_many_cores(void) {
	build(low, LOW, 0);
	for (uint32_t i = 0; i < 70; i++)
		x2apic_core(low + MADT_AT + 60 + 16 * i, 1000 + i, 1);
	table(low + MADT_AT, "APIC", 60 + 16 * 70);
	read_all();
	check_equal(facts.core_count, 72);
	check_equal(facts.cores[ACPI_MAX_CORES - 1], 1000 + ACPI_MAX_CORES - 3);
	check_equal(facts.ioapic_count, 0); // what is behind the cores in facts
}

static void acpi_none(void) {
	build(low, LOW, 1);
	memset(bios, 0, sizeof(bios));
	read_all();
	check(!facts.has_madt && !facts.has_hidden && rsdp[0] == 0);
}

// With right sums, so that the damage is read.
static void acpi_damaged(void) {
	for (unsigned i = 0; i < DAMAGES; i++) {
		uint8_t *memory = i % 2 ? low : high;

		build(memory, i % 2 ? LOW : HIGH, 20);
		for (int flips = 1 + rand() % 8; flips > 0; flips--)
			memory[XSDT_AT + (unsigned)rand() % (SIZE - XSDT_AT)] = (uint8_t)rand();
		sum_fix(memory + XSDT_AT, 60, 9);
		sum_fix(memory + MADT_AT, 60 + 12 * 20, 9);
		sum_fix(memory + FADT_AT, 244, 9);
		sum_fix(memory + HPET_AT, 56, 9);
		read_all();
		check(facts.ioapic_count <= ACPI_MAX_IOAPICS);
	}
}

static const struct test rows[] = {
	{"acpi_low", "MADT, FADT and HPET say what they say", acpi_low},
	{"acpi_high", "tables above 4 GiB count once they can be read", acpi_high},
	{"acpi_many_ioapics", "forty I/O APICs all count, and no more than there is room for",
		acpi_many_ioapics},
	{"acpi_twice", "one address is one I/O APIC, an odd address none", acpi_twice},
	{"acpi_cores", "each enabled core has its id, once", acpi_cores},
	{"acpi_many_cores", "of seventy cores sixty-four have their id, and all count",
		acpi_many_cores},
	{"acpi_none", "without RSDP there is nothing", acpi_none},
	{"acpi_damaged", "damaged tables are never read past their end", acpi_damaged},
};

const struct tests acpi_tests = {rows, array_count(rows)};
