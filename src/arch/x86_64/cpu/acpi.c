// SPDX-License-Identifier: BSD-2-Clause
// Finds and checks RSDP, XSDT or RSDT, MADT and FADT (ACPI 6, 5.2). Tables are read in the physical
// window below 4 GiB, where firmware puts them.
#include <cpu/acpi.h>

#include <base/bits.h>
#include <base/compiler.h>
#include <base/memory.h>
#include <cpu/layout.h>
#include <cpu/print.h>

enum {
	RSDP_SIZE = 36,
	RSDP_SIZE_OLD = 20,
	HEADER_SIZE = 36,
	MAX_TABLE = 1 << 20, // larger is taken for damage
	MADT_ENTRIES = 44,
	FADT_TIMER_PORT = 76,
	BIOS_EBDA_SEGMENT = 0x40e,
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,
	CORE_ENABLED = 1,
};

#define DEFAULT_APIC 0xfee00000ul
#define VISIBLE_END (1ul << 32)

enum madt_entry {
	MADT_CORE = 0,
	MADT_IOAPIC = 1,
	MADT_APIC_ADDRESS = 5,
	MADT_CORE_X2APIC = 9,
};

// Fields are unaligned.
static uint64_t field(const uint8_t *bytes, unsigned offset, unsigned size) {
	uint64_t value = 0;

	memcpy(&value, bytes + offset, size);
	return value;
}

static bool sum_is_zero(const uint8_t *bytes, uint64_t size) {
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static const uint8_t *visible(uint64_t address, uint64_t size) {
	bool inside = address != 0 && range_fits(address, size, VISIBLE_END);

	return inside ? physical_pointer(physical(address)) : NULL;
}

static bool rsdp_is_valid(const uint8_t *rsdp) {
	if (memcmp(rsdp, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_SIZE_OLD)) return false;
	return rsdp[15] < 2 || sum_is_zero(rsdp, RSDP_SIZE);
}

static const uint8_t *rsdp_search(uint64_t start, uint64_t end) {
	for (uint64_t at = align_up(start, 16); at + RSDP_SIZE <= end; at += 16) {
		const uint8_t *rsdp = physical_pointer(physical(at));

		if (rsdp_is_valid(rsdp)) return rsdp;
	}
	return NULL;
}

static const uint8_t *rsdp_find(void) {
	const uint8_t *segment = physical_pointer(physical(BIOS_EBDA_SEGMENT));
	uint64_t extended = field(segment, 0, 2) << 4;
	const uint8_t *found = NULL;

	if (extended >= 0x80000 && extended < 0xa0000)
		found = rsdp_search(extended, extended + 1024);
	return found ? found : rsdp_search(BIOS_START, BIOS_END);
}

// The table at address if it is complete and has this signature, or null.
static const uint8_t *table_check(uint64_t address, const char *signature) {
	const uint8_t *table = visible(address, HEADER_SIZE);
	uint64_t size;

	if (!table || memcmp(table, signature, 4) != 0) return NULL;
	size = field(table, 4, 4);
	if (size < HEADER_SIZE || size > MAX_TABLE || !visible(address, size)) return NULL;
	if (!sum_is_zero(table, size)) {
		print("acpi: table %s has a wrong checksum, ignored\n", signature);
		return NULL;
	}
	return table;
}

static const uint8_t *table_find(const uint8_t *rsdp, const char *signature) {
	const uint8_t *list = NULL;
	unsigned width = 8;

	if (rsdp[15] >= 2) list = table_check(field(rsdp, 24, 8), "XSDT");
	if (!list) {
		list = table_check(field(rsdp, 16, 4), "RSDT");
		width = 4;
	}
	if (!list) return NULL;
	for (unsigned at = HEADER_SIZE; at + width <= field(list, 4, 4); at += width) {
		const uint8_t *table = table_check(field(list, at, width), signature);

		if (table) return table;
	}
	return NULL;
}

static void ioapic_add(struct acpi_facts *facts, const uint8_t *entry) {
	uint64_t physical = field(entry, 4, 4);

	if (facts->ioapic_count == ACPI_MAX_IOAPICS || !physical || !is_aligned(physical, 1024)) {
		print("acpi: I/O APIC at %lx ignored\n", physical);
		return;
	}
	facts->ioapics[facts->ioapic_count++] = (struct acpi_ioapic){
		.physical = physical,
		.first_interrupt = (uint32_t)field(entry, 8, 4),
		.id = entry[2],
	};
}

static void madt_take(struct acpi_facts *facts, const uint8_t *entry, unsigned size) {
	switch (entry[0]) {
	case MADT_CORE:
		if (size >= 8) facts->core_count += (uint32_t)field(entry, 4, 4) & CORE_ENABLED;
		break;
	case MADT_CORE_X2APIC:
		if (size >= 16) facts->core_count += (uint32_t)field(entry, 8, 4) & CORE_ENABLED;
		break;
	case MADT_IOAPIC:
		if (size >= 12) ioapic_add(facts, entry);
		break;
	case MADT_APIC_ADDRESS:
		if (size >= 12 && visible(field(entry, 4, 8), 4096))
			facts->apic = field(entry, 4, 8);
		break;
	default: break;
	}
}

static void madt_read(struct acpi_facts *facts, const uint8_t *madt) {
	uint64_t end = field(madt, 4, 4);
	unsigned size;

	if (end < MADT_ENTRIES) return;
	if (visible(field(madt, 36, 4), 4096)) facts->apic = field(madt, 36, 4);
	for (uint64_t at = MADT_ENTRIES; at + 2 <= end; at += size) {
		size = madt[at + 1];
		if (size < 2 || at + size > end) break;
		madt_take(facts, madt + at, size);
	}
}

bool acpi_read(struct acpi_facts *facts, const uint8_t *rsdp, uint8_t found[36]) {
	const uint8_t *madt, *fadt;

	*facts = (struct acpi_facts){.apic = DEFAULT_APIC};
	if (!rsdp || !rsdp_is_valid(rsdp)) rsdp = rsdp_find();
	if (!rsdp) {
		print("acpi: no RSDP\n");
		return false;
	}
	memmove(found, rsdp, RSDP_SIZE);
	fadt = table_find(rsdp, "FACP");
	if (fadt && field(fadt, 4, 4) >= FADT_TIMER_PORT + 4)
		facts->timer_port = (uint16_t)field(fadt, FADT_TIMER_PORT, 4);
	madt = table_find(rsdp, "APIC");
	if (!madt) {
		print("acpi: no MADT\n");
		return false;
	}
	madt_read(facts, madt);
	return true;
}
