// SPDX-License-Identifier: BSD-2-Clause
// Finds and checks RSDP, XSDT or RSDT, MADT, FADT and HPET (ACPI 6, 5.2). Tables are read in the
// physical window below 4 GiB, where firmware puts them.
#include <cpu/acpi.h>

#include <base/bits.h>
#include <x86/ivrs.h>

enum {
	MAX_TABLE = 1 << 20, // larger is taken for damage
	BIOS_EBDA_SEGMENT = 0x40e,
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,
};

static bool sum_is_zero(const void *start, uint64_t size) {
	const uint8_t *bytes = start;
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static bool rsdp_is_valid(const struct acpi_rsdp *rsdp) {
	return memcmp(rsdp->signature, "RSD PTR ", 8) == 0 &&
		sum_is_zero(rsdp, offsetof(struct acpi_rsdp, length)) &&
		(rsdp->revision < 2 || sum_is_zero(rsdp, sizeof(*rsdp)));
}

static bool rsdp_search(
	const struct acpi_facts *facts, struct acpi_rsdp *rsdp, uint64_t start, uint64_t end) {
	for (uint64_t at = start; at + sizeof(*rsdp) <= end && !rsdp_is_valid(rsdp); at += 16) {
		const struct acpi_rsdp *found = facts->reader(at, sizeof(*rsdp));

		if (found) *rsdp = *found;
	}
	return rsdp_is_valid(rsdp);
}

// The table at address if it is complete and has this signature, or null.
static const struct acpi_header *table_check(
	struct acpi_facts *facts, uint64_t address, const char *signature) {
	const struct acpi_header *table = facts->reader(address, sizeof(*table));
	uint64_t size;

	facts->has_hidden |= address && !table;
	if (!table || memcmp(table->signature, signature, 4) != 0) return NULL;
	size = table->length;
	if (size < sizeof(*table) || size > MAX_TABLE) return NULL;
	table = facts->reader(address, size);
	return table && sum_is_zero(table, size) ? table : NULL;
}

// The table with this signature, if it has least bytes, or null.
static const void *table_find(struct acpi_facts *facts, const struct acpi_rsdp *rsdp,
	const char *signature, size_t least) {
	uint64_t extended = rsdp->revision >= 2 ? rsdp->xsdt : 0;
	const struct acpi_header *list = table_check(facts, extended, "XSDT");
	unsigned width = list ? 8 : 4;

	if (!list) list = table_check(facts, rsdp->rsdt, "RSDT");
	if (!list) return NULL;
	for (unsigned at = sizeof(*list); at + width <= list->length; at += width) {
		uint64_t address = bytes_number((const uint8_t *)list, at, width);
		const struct acpi_header *table = table_check(facts, address, signature);

		if (table) return table->length >= least ? table : NULL;
	}
	return NULL;
}

static void ioapic_take(struct acpi_facts *facts, struct acpi_ioapic found) {
	if (facts->ioapic_count == ACPI_MAX_IOAPICS || !found.address ||
		!is_aligned(found.address, 1024))
		return;
	for (unsigned i = 0; i < facts->ioapic_count; i++)
		if (facts->ioapics[i].address == found.address) return; // its pins have one name
	facts->ioapics[facts->ioapic_count++] = found;
}

// Some firmware lists a core by both kinds of entries.
static void core_take(struct acpi_facts *facts, uint32_t id, uint32_t flags) {
	uint32_t known = facts->core_count < ACPI_MAX_CORES ? facts->core_count : ACPI_MAX_CORES;

	if (!(flags & MADT_ENABLED)) return;
	for (unsigned i = 0; i < known; i++)
		if (facts->cores[i] == id) return;
	if (known < ACPI_MAX_CORES) facts->cores[known] = id;
	facts->core_count++;
}

static void madt_read(struct acpi_facts *facts, const struct acpi_header *madt) {
	const struct acpi_madt_entry *entry;

	facts->has_madt = madt;
	for (uint64_t at = sizeof(struct acpi_madt_header);
		madt && at + sizeof(*entry) <= madt->length; at += entry->length) {
		const void *body = entry = (const void *)((const uint8_t *)madt + at);
		const struct acpi_madt_core *core = body;
		const struct acpi_madt_x2apic *x2apic = body;
		const struct acpi_madt_ioapic *ioapic = body;

		if (entry->length < sizeof(*entry) || at + entry->length > madt->length) break;
		if (entry->type == MADT_LAPIC && entry->length >= sizeof(*core))
			core_take(facts, core->id, core->flags);
		if (entry->type == MADT_X2APIC && entry->length >= sizeof(*x2apic))
			core_take(facts, x2apic->id, x2apic->flags);
		if (entry->type == MADT_IOAPIC && entry->length >= sizeof(*ioapic))
			ioapic_take(facts, (struct acpi_ioapic){ioapic->address, ioapic->id});
	}
}

void acpi_read(struct acpi_facts *facts, uint8_t bytes[36]) {
	const uint8_t *segment = facts->reader(BIOS_EBDA_SEGMENT, 2);
	uint64_t extended = segment ? bytes_number(segment, 0, 2) << 4 : 0;
	struct acpi_rsdp *rsdp = (void *)bytes;
	const struct acpi_fadt *fadt;
	const struct acpi_hpet *hpet;

	if (!rsdp_search(facts, rsdp, extended, extended + 1024) &&
		!rsdp_search(facts, rsdp, BIOS_START, BIOS_END)) {
		*rsdp = (struct acpi_rsdp){};
		return;
	}
	fadt = table_find(facts, rsdp, "FACP", offsetof(struct acpi_fadt, legacy_2));
	if (fadt) facts->timer_port = (uint16_t)fadt->timer_port;
	hpet = table_find(facts, rsdp, "HPET", sizeof(*hpet));
	if (hpet && hpet->address.space == ACPI_SPACE_MEMORY) facts->hpet = hpet->address.address;
	madt_read(facts, table_find(facts, rsdp, "APIC", sizeof(struct acpi_header)));
	facts->ivrs = table_find(facts, rsdp, "IVRS", sizeof(struct acpi_ivrs));
	facts->dmar = table_find(facts, rsdp, "DMAR", sizeof(struct acpi_dmar));
}
