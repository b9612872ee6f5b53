// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables (ACPI specification 6.4, chapter 5; PCI Firmware specification 3.2, 4.1.2). The DSDT
// is compiled from dsdt.asl.
#include <vmm/boot/acpi.h>

#include <vmm/device/power.h>
#include <vmm/dsdt.h>
#include <vmm/irq/ioapic.h>
#include <vmm/irq/lapic.h>
#include <vmm/pci/layout.h>

#include <base/memory.h>
#include <x86/acpi.h>

#include <stddef.h>

struct [[gnu::packed]] acpi_madt {
	struct acpi_madt_header madt;
	struct acpi_madt_core lapic;
	struct acpi_madt_ioapic ioapic;
};

_Static_assert(sizeof(struct acpi_madt) == 44 + 8 + 12);

struct [[gnu::packed]] acpi_xsdt {
	struct acpi_header header;
	uint64_t tables[3];
};

enum {
	ACPI_REVISION = 2,
	FADT_REVISION = 6,
	FADT_MINOR = 4,
	PROFILE_ENTERPRISE_SERVER = 4,
	FADT_WBINVD = 1 << 0,
	FADT_POWER_BUTTON = 1 << 4, // as control methods, of which there are none
	FADT_SLEEP_BUTTON = 1 << 5,
	FADT_RESET = 1 << 10,
	FADT_HARDWARE_REDUCED = 1 << 20,
	BOOT_NO_VGA = 1 << 2,
	CENTURY_CELL = 0x32,
	ACCESS_BYTE = 1,
};

struct acpi_area {
	struct acpi_rsdp rsdp;
	[[gnu::aligned(16)]] struct acpi_xsdt xsdt;
	[[gnu::aligned(16)]] struct acpi_fadt fadt;
	[[gnu::aligned(16)]] struct acpi_madt madt;
	[[gnu::aligned(16)]] struct acpi_mcfg mcfg;
	[[gnu::aligned(16)]] uint8_t dsdt[sizeof(dsdt_table)];
};

static uint8_t checksum(const void *bytes, size_t size) {
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)bytes)[i];
	return (uint8_t)-sum;
}

// Fills the header of a table whose body is complete.
static void finish(
	struct acpi_header *header, const char *signature, uint8_t revision, size_t length) {
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = (uint32_t)length;
	header->revision = revision;
	memcpy(header->oem, "NACRE ", sizeof(header->oem));
	memcpy(header->oem_table, "NACREVMM", sizeof(header->oem_table));
	header->oem_revision = 1;
	memcpy(header->creator, "NCRE", sizeof(header->creator));
	header->creator_revision = 1;
	header->checksum = 0;
	header->checksum = checksum(header, length);
}

static struct acpi_address byte_port(uint16_t port) {
	return (struct acpi_address){ACPI_SPACE_IO, 8, 0, ACCESS_BYTE, port};
}

static void build_fadt(struct acpi_fadt *fadt, uint64_t dsdt) {
	fadt->dsdt = (uint32_t)dsdt;
	fadt->extended_dsdt = dsdt;
	fadt->profile = PROFILE_ENTERPRISE_SERVER;
	fadt->century = CENTURY_CELL;
	fadt->boot_flags = BOOT_NO_VGA;
	fadt->flags = FADT_WBINVD | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON | FADT_RESET |
		FADT_HARDWARE_REDUCED;
	fadt->reset = byte_port(POWER_RESET_PORT);
	fadt->reset_value = POWER_RESET_VALUE;
	fadt->minor_version = FADT_MINOR;
	fadt->sleep_control = byte_port(POWER_SLEEP_CONTROL_PORT);
	fadt->sleep_status = byte_port(POWER_SLEEP_STATUS_PORT);
	memcpy(fadt->hypervisor, "NACREVMM", sizeof(fadt->hypervisor));
	finish(&fadt->header, "FACP", FADT_REVISION, sizeof(*fadt));
}

static void build_madt(struct acpi_madt *madt) {
	madt->madt.lapic_address = LAPIC_ADDRESS;
	madt->lapic.entry.type = MADT_LAPIC;
	madt->lapic.entry.length = sizeof(madt->lapic);
	madt->lapic.flags = MADT_ENABLED;
	madt->ioapic.entry.type = MADT_IOAPIC;
	madt->ioapic.entry.length = sizeof(madt->ioapic);
	madt->ioapic.address = IOAPIC_ADDRESS;
	finish(&madt->madt.header, "APIC", 5, sizeof(*madt));
}

static void build_rsdp(struct acpi_rsdp *rsdp, uint64_t xsdt) {
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem, "NACRE ", sizeof(rsdp->oem));
	rsdp->revision = ACPI_REVISION;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = checksum(rsdp, offsetof(struct acpi_rsdp, length));
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

static void build_mcfg(struct acpi_mcfg *mcfg) {
	mcfg->space.base = PCI_ECAM_BASE; // of segment 0, bus 0 to bus 0
	finish(&mcfg->header, "MCFG", 1, sizeof(*mcfg));
}

bool acpi_build(const struct guest_memory *memory, uint64_t *rsdp) {
	struct acpi_area *area = memory_at(
		memory, guest_physical(ACPI_ADDRESS), sizeof(struct acpi_area));

	if (!area) return false;
	memset(area, 0, sizeof(*area));
	memcpy(area->dsdt, dsdt_table, sizeof(dsdt_table));
	build_fadt(&area->fadt, ACPI_ADDRESS + offsetof(struct acpi_area, dsdt));
	build_madt(&area->madt);
	build_mcfg(&area->mcfg);
	area->xsdt.tables[0] = ACPI_ADDRESS + offsetof(struct acpi_area, fadt);
	area->xsdt.tables[1] = ACPI_ADDRESS + offsetof(struct acpi_area, madt);
	area->xsdt.tables[2] = ACPI_ADDRESS + offsetof(struct acpi_area, mcfg);
	finish(&area->xsdt.header, "XSDT", 1, sizeof(area->xsdt));
	build_rsdp(&area->rsdp, ACPI_ADDRESS + offsetof(struct acpi_area, xsdt));
	*rsdp = ACPI_ADDRESS;
	return true;
}
