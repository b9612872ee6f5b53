// SPDX-License-Identifier: BSD-2-Clause
// Finds and checks RSDP, XSDT or RSDT, MADT, FADT and HPET (ACPI 6, 5.2). Tables are read in the
// physical window below 4 GiB, where firmware puts them.
#include <cpu/acpi.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	RSDP_SIZE = 36,
	RSDP_SIZE_OLD = 20,
	HEADER_SIZE = 36,
	MAX_TABLE = 1 << 20, // larger is taken for damage
	MADT_ENTRIES = 44,
	FADT_TIMER_PORT = 76,
	HPET_SPACE = 40, // 0: memory
	HPET_ADDRESS = 44,
	BIOS_EBDA_SEGMENT = 0x40e,
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,
	CORE_ENABLED = 1,
};

enum madt_entry { MADT_CORE = 0, MADT_IOAPIC = 1, MADT_CORE_X2APIC = 9 };

static bool sum_is_zero(const uint8_t *bytes, uint64_t size) {
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static bool rsdp_is_valid(const uint8_t *rsdp) {
	if (memcmp(rsdp, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_SIZE_OLD)) return false;
	return rsdp[15] < 2 || sum_is_zero(rsdp, RSDP_SIZE);
}

static bool rsdp_search(
	const struct acpi_facts *facts, uint8_t *rsdp, uint64_t start, uint64_t end) {
	for (uint64_t at = start; at + RSDP_SIZE <= end && !rsdp_is_valid(rsdp); at += 16) {
		const void *found = facts->reader(at, RSDP_SIZE);

		if (found) memcpy(rsdp, found, RSDP_SIZE);
	}
	return rsdp_is_valid(rsdp);
}

// The table at address if it is complete and has this signature, or null.
static const uint8_t *table_check(
	struct acpi_facts *facts, uint64_t address, const char *signature) {
	const uint8_t *table = facts->reader(address, HEADER_SIZE);
	uint64_t size;

	facts->has_hidden |= address && !table;
	if (!table || memcmp(table, signature, 4) != 0) return NULL;
	size = bytes_number(table, 4, 4);
	if (size < HEADER_SIZE || size > MAX_TABLE) return NULL;
	table = facts->reader(address, size);
	return table && sum_is_zero(table, size) ? table : NULL;
}

static const uint8_t *table_find(
	struct acpi_facts *facts, const uint8_t *rsdp, const char *signature) {
	uint64_t extended = rsdp[15] >= 2 ? bytes_number(rsdp, 24, 8) : 0;
	const uint8_t *list = table_check(facts, extended, "XSDT");
	unsigned width = list ? 8 : 4;

	if (!list) list = table_check(facts, bytes_number(rsdp, 16, 4), "RSDT");
	if (!list) return NULL;
	for (unsigned at = HEADER_SIZE; at + width <= bytes_number(list, 4, 4); at += width) {
		uint64_t address = bytes_number(list, at, width);
		const uint8_t *table = table_check(facts, address, signature);

		if (table) return table;
	}
	return NULL;
}

static void ioapic_take(struct acpi_facts *facts, uint64_t physical) {
	bool ignored = facts->ioapic_count == ACPI_MAX_IOAPICS || !physical ||
		!is_aligned(physical, 1024);

	// Its pins have one name each.
	for (unsigned i = 0; i < facts->ioapic_count; i++)
		ignored |= facts->ioapics[i] == physical;
	if (!ignored) facts->ioapics[facts->ioapic_count++] = physical;
}

static void madt_read(struct acpi_facts *facts, const uint8_t *madt) {
	uint64_t end = bytes_number(madt, 4, 4);
	unsigned size;

	facts->has_madt = true;
	for (uint64_t at = MADT_ENTRIES; at + 2 <= end; at += size) {
		const uint8_t *entry = madt + at;
		enum madt_entry type = entry[0];

		size = entry[1];
		if (size < 2 || at + size > end) break;
		if (type == MADT_CORE && size >= 8) facts->core_count += entry[4] & CORE_ENABLED;
		if (type == MADT_CORE_X2APIC && size >= 16)
			facts->core_count += entry[8] & CORE_ENABLED;
		if (type == MADT_IOAPIC && size >= 12)
			ioapic_take(facts, bytes_number(entry, 4, 4));
	}
}

void acpi_read(struct acpi_facts *facts, uint8_t rsdp[36]) {
	const uint8_t *segment = facts->reader(BIOS_EBDA_SEGMENT, 2);
	uint64_t extended = segment ? bytes_number(segment, 0, 2) << 4 : 0;
	const uint8_t *madt, *fadt, *hpet;

	if (!rsdp_search(facts, rsdp, extended, extended + 1024) &&
		!rsdp_search(facts, rsdp, BIOS_START, BIOS_END)) {
		memset(rsdp, 0, RSDP_SIZE);
		return;
	}
	fadt = table_find(facts, rsdp, "FACP");
	if (fadt && bytes_number(fadt, 4, 4) >= FADT_TIMER_PORT + 4)
		facts->timer_port = (uint16_t)bytes_number(fadt, FADT_TIMER_PORT, 4);
	hpet = table_find(facts, rsdp, "HPET");
	if (hpet && bytes_number(hpet, 4, 4) >= HPET_ADDRESS + 8 && hpet[HPET_SPACE] == 0)
		facts->hpet = bytes_number(hpet, HPET_ADDRESS, 8);
	madt = table_find(facts, rsdp, "APIC");
	if (madt) madt_read(facts, madt);
}
