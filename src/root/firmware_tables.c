// SPDX-License-Identifier: BSD-2-Clause
// From the RSDP that bootinfo has to the tables, each checked before it is used.
#include <root/firmware_tables.h>

#include <abi/bootinfo.h>
#include <base/bits.h>
#include <base/memory.h>

#include <root/physical.h>

#include <user/root/root.h>

enum { TABLE_LIMIT = 1 << 20 }; // larger is taken for damage

static const struct acpi_header *table_read(seL4_Word address) {
	const struct acpi_header *table = address ? physical_map(address, sizeof(*table)) : NULL;
	const uint8_t *bytes;
	uint8_t sum = 0;

	if (!table || table->length < sizeof(*table) || table->length > TABLE_LIMIT) return NULL;
	bytes = physical_map(address, table->length);
	for (uint32_t i = 0; bytes && i < table->length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return bytes && sum == 0 ? table : NULL;
}

// The XSDT, or the RSDT, and the width of its entries.
static const struct acpi_header *list_find(const seL4_BootInfo *bootinfo, unsigned *width) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(bootinfo, BOOTINFO_ACPI_RSDP);
	const struct acpi_rsdp *rsdp = (const void *)(chunk + 1);
	const struct acpi_header *list = NULL;

	if (!chunk || chunk->len < sizeof(*chunk) + sizeof(*rsdp)) return NULL;
	*width = 8;
	if (rsdp->revision >= 2) list = table_read(rsdp->xsdt);
	if (list) return list;
	*width = 4;
	return table_read(rsdp->rsdt);
}

unsigned firmware_table_count(const seL4_BootInfo *bootinfo) {
	unsigned width;
	const struct acpi_header *list = list_find(bootinfo, &width);

	return list ? (unsigned)(list->length - sizeof(*list)) / width : 0;
}

struct firmware_table firmware_table_at(const seL4_BootInfo *bootinfo, unsigned index) {
	unsigned width;
	const uint8_t *list = (const void *)list_find(bootinfo, &width);
	seL4_Word address = bytes_number(
		list, (unsigned)sizeof(struct acpi_header) + index * width, width);

	return (struct firmware_table){address, table_read(address)};
}

const void *firmware_table_find(
	const seL4_BootInfo *bootinfo, const char *signature, seL4_Word least) {
	unsigned count = firmware_table_count(bootinfo);

	for (unsigned i = 0; i < count; i++) {
		const struct acpi_header *table = firmware_table_at(bootinfo, i).header;

		if (table && memcmp(table->signature, signature, sizeof(table->signature)) == 0 &&
			table->length >= least)
			return table;
	}
	return NULL;
}
