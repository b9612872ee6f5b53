// SPDX-License-Identifier: BSD-2-Clause
// ACPI's tables, and of some what they say of cores, interrupts and clocks (ACPI 6.4, 5.2.12).
#include <root/report/report.h>

#include <base/memory.h>

#include <root/firmware_tables.h>

#include <user/print.h>

static void print_core(uint32_t id, uint32_t flags) {
	print("report: core apic=%u enabled=%u\n", id, flags & MADT_ENABLED);
}

static void print_entry(const struct acpi_madt_entry *entry) {
	const void *body = entry;
	const struct acpi_madt_core *core = body;
	const struct acpi_madt_x2apic *x2apic = body;
	const struct acpi_madt_ioapic *ioapic = body;
	const struct acpi_madt_override *override = body;

	if (entry->type == MADT_LAPIC && entry->length >= sizeof(*core))
		print_core(core->id, core->flags);
	if (entry->type == MADT_X2APIC && entry->length >= sizeof(*x2apic))
		print_core(x2apic->id, x2apic->flags);
	if (entry->type == MADT_IOAPIC && entry->length >= sizeof(*ioapic))
		print("report: ioapic id=%u address=0x%x first=%u\n", ioapic->id, ioapic->address,
			ioapic->first_interrupt);
	if (entry->type == MADT_OVERRIDE && entry->length >= sizeof(*override))
		print("report: override irq=%u interrupt=%u flags=0x%x\n", override->source,
			override->interrupt, override->flags);
}

static void print_madt(const struct acpi_header *madt) {
	const struct acpi_madt_entry *entry;

	for (uint32_t at = sizeof(struct acpi_madt_header); at + sizeof(*entry) <= madt->length;
		at += entry->length) {
		entry = (const void *)((const char *)madt + at);
		if (entry->length < sizeof(*entry) || at + entry->length > madt->length) return;
		print_entry(entry);
	}
}

static void print_contents(const struct acpi_header *table) {
	const struct acpi_fadt *fadt = (const void *)table;
	const struct acpi_hpet *hpet = (const void *)table;
	const struct acpi_mcfg *mcfg = (const void *)table;

	if (memcmp(table->signature, "APIC", 4) == 0) print_madt(table);
	if (memcmp(table->signature, "FACP", 4) == 0 &&
		table->length >= offsetof(struct acpi_fadt, legacy_2))
		print("report: acpi-timer port=0x%x\n", fadt->timer_port);
	if (memcmp(table->signature, "HPET", 4) == 0 && table->length >= sizeof(*hpet))
		print("report: hpet address=0x%lx\n", hpet->address.address);
	if (memcmp(table->signature, "MCFG", 4) == 0 && table->length >= sizeof(*mcfg))
		print("report: pci-space address=0x%lx first-bus=%u last-bus=%u\n",
			mcfg->space.base, mcfg->space.first_bus, mcfg->space.last_bus);
}

void report_tables(const seL4_BootInfo *bootinfo) {
	unsigned count = firmware_table_count(bootinfo);

	if (count == 0) print("report: no-acpi\n");
	for (unsigned i = 0; i < count; i++) {
		struct firmware_table table = firmware_table_at(bootinfo, i);

		print("report: acpi address=0x%lx", table.address);
		if (!table.header) {
			print(" damaged=1\n");
			continue;
		}
		report_text("table", table.header->signature, sizeof(table.header->signature));
		report_text("maker", table.header->oem, sizeof(table.header->oem));
		print(" length=%u revision=%u\n", table.header->length, table.header->revision);
		print_contents(table.header);
	}
}
