// SPDX-License-Identifier: BSD-2-Clause
// The table DMAR (VT-d 8): units with their I/O APICs, and memory of firmware with its devices. All
// units have the same tables, so which other devices are behind which is of no interest; nor are
// entries of other types, about translation caches in devices, which are not used, and about what
// is near what.
#include <iommu/dmar.h>

#include <abi/object.h>
#include <x86/acpi.h>

// The device at entry; false: it is damaged, or too far away.
static bool scope_read(struct dmar_scope *scope, const struct acpi_dmar_scope *entry) {
	const uint8_t *path = (const uint8_t *)(entry + 1);
	unsigned size = entry->length - (unsigned)sizeof(*entry);

	if (size < 2 || size % 2 || size > 2 * DMAR_MAX_HOPS) return false;
	*scope = (struct dmar_scope){entry->bus, (uint8_t)(size / 2), {}};
	for (unsigned i = 0; i < size; i += 2) {
		if (path[i] > 31 || path[i + 1] > 7) return false;
		scope->path[i / 2] = (uint8_t)(path[i] << 3 | path[i + 1]);
	}
	return true;
}

static bool range_read(
	struct dmar *dmar, const struct acpi_dmar_scope *entry, const struct range *memory) {
	struct dmar_range *range = &dmar->ranges[dmar->range_count];

	if (entry->type != DMAR_ENDPOINT || dmar->range_count == DMAR_MAX_RANGES ||
		!scope_read(&range->device, entry))
		return false;
	range->memory = *memory;
	dmar->range_count++;
	return true;
}

static bool ioapic_read(struct dmar *dmar, const struct acpi_dmar_scope *entry) {
	struct dmar_ioapic *ioapic = &dmar->ioapics[dmar->ioapic_count];

	if (entry->type != DMAR_IOAPIC) return true;
	if (dmar->ioapic_count == ACPI_MAX_IOAPICS || !scope_read(&ioapic->device, entry))
		return false;
	ioapic->id = entry->id;
	dmar->ioapic_count++;
	return true;
}

// The devices that an entry names behind its first bytes: they use the memory, or are a unit's.
static bool scopes_read(struct dmar *dmar, const struct acpi_dmar_entry *entry, unsigned at,
	const struct range *memory) {
	const struct acpi_dmar_scope *next;

	for (; at + sizeof(*next) <= entry->length; at += next->length) {
		next = (const void *)((const uint8_t *)entry + at);
		if (next->length < sizeof(*next) || at + next->length > entry->length ||
			!(memory ? range_read(dmar, next, memory) : ioapic_read(dmar, next)))
			return false;
	}
	return at == entry->length;
}

static bool reserved_read(struct dmar *dmar, const struct acpi_dmar_reserved *entry) {
	struct range memory = {entry->first, entry->last + 1};

	return memory.start < memory.end && !entry->segment &&
		is_aligned(memory.start | memory.end, BIT(PAGE_BITS)) &&
		scopes_read(dmar, &entry->entry, sizeof(*entry), &memory);
}

static bool unit_read(struct dmar *dmar, const struct acpi_dmar_unit *entry) {
	for (unsigned i = 0; i < dmar->unit_count; i++)
		if (dmar->units[i].address == entry->address) return true;
	if (dmar->unit_count == DMAR_MAX_UNITS || !entry->address ||
		!is_aligned(entry->address, BIT(PAGE_BITS)))
		return false;
	dmar->units[dmar->unit_count++] = (struct dmar_unit){
		entry->address, BIT(PAGE_BITS) << (entry->size & 15), entry->segment};
	return entry->segment || scopes_read(dmar, &entry->entry, sizeof(*entry), NULL);
}

static bool entry_read(struct dmar *dmar, const struct acpi_dmar_entry *entry) {
	const void *body = entry;

	if (entry->type == DMAR_UNIT)
		return entry->length >= sizeof(struct acpi_dmar_unit) && unit_read(dmar, body);
	if (entry->type == DMAR_RESERVED)
		return entry->length >= sizeof(struct acpi_dmar_reserved) &&
			reserved_read(dmar, body);
	return true;
}

void dmar_read(struct dmar *dmar, const void *table) {
	const struct acpi_dmar *header = table;
	const struct acpi_dmar_entry *entry;
	uint64_t at = sizeof(*header);

	*dmar = (struct dmar){.is_there = table};
	if (!table) return;
	dmar->has_interrupts = header->flags & DMAR_INTERRUPTS;
	for (; at + sizeof(*entry) <= header->header.length; at += entry->length) {
		entry = (const void *)((const uint8_t *)table + at);
		if (entry->length < sizeof(*entry) || at + entry->length > header->header.length)
			break;
		dmar->lost += !entry_read(dmar, entry);
	}
	dmar->lost += at != header->header.length;
}
