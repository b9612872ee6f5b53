// SPDX-License-Identifier: BSD-2-Clause
// Extra bootinfo: information of the boot loader and the machine, as chunks for the initial task.
#include <boot/boot.h>

#include <cpu/platform.h>

enum { CHUNKS = 10 };

_Static_assert(sizeof(struct boot_map) + sizeof(struct bootinfo_chunk) == 1220);
// All fit into a page.
_Static_assert(CHUNKS * sizeof(struct bootinfo_chunk) + sizeof(struct boot_facts) -
		offsetof(struct boot_facts, modules) <=
	4096);

static void chunk_append(
	uint8_t **end, enum bootinfo_chunk_id id, const void *payload, uint64_t size) {
	struct bootinfo_chunk chunk = {.id = id, .length = sizeof(chunk) + size};

	memcpy(*end, &chunk, sizeof(chunk));
	memcpy(*end + sizeof(chunk), payload, size);
	*end += chunk.length;
}

static uint64_t iommu_bits(void) {
	const struct iommu *iommu = this_cpu()->platform->iommu;

	if (!iommu) return 0;
	return (iommu->is_whole ? BOOTINFO_IOMMU_WHOLE : 0) |
		(iommu->set_interrupt ? BOOTINFO_IOMMU_INTERRUPTS : 0);
}

uint64_t boot_info_write_extra(const struct boot_facts *facts, void *memory) {
	uint64_t module_bytes = (facts->module_count - 1) * sizeof(facts->modules[0]);
	uint64_t iommu = iommu_bits();
	uint8_t *end = memory;

	if (facts->has_vbe) chunk_append(&end, BOOTINFO_VBE, facts->vbe, sizeof(facts->vbe));
	chunk_append(&end, BOOTINFO_ACPI_RSDP, facts->rsdp, sizeof(facts->rsdp));
	if (facts->has_framebuffer)
		chunk_append(&end, BOOTINFO_FRAMEBUFFER, facts->framebuffer, SCREEN_LAYOUT);
	if (facts->has_screen) chunk_append(&end, BOOTINFO_SCREEN, facts->framebuffer, SCREEN_INFO);
	chunk_append(&end, BOOTINFO_MEMORY_MAP, &facts->map, sizeof(facts->map));
	chunk_append(&end, BOOTINFO_TSC_FREQUENCY, &facts->tsc_mhz, sizeof(facts->tsc_mhz));
	chunk_append(&end, BOOTINFO_TSC_RATE, &facts->tsc_hertz, sizeof(facts->tsc_hertz));
	chunk_append(&end, BOOTINFO_IOMMU, &iommu, sizeof(iommu));
	chunk_append(&end, BOOTINFO_OPTIONS, &facts->options, sizeof(facts->options));
	if (module_bytes) chunk_append(&end, BOOTINFO_MODULES, &facts->modules[1], module_bytes);
	return (uint64_t)(end - (uint8_t *)memory);
}
