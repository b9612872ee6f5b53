// SPDX-License-Identifier: BSD-2-Clause
// A checked system image. After image_open succeeded every index, offset and name in the records
// can be used without further checks.
#pragma once

#include <root/system_image.h>

struct image {
	const uint8_t *bytes;
	const struct system_header *header;
	const struct system_domain *domains;
	const struct system_segment *segments;
	const struct system_region *regions;
	const struct system_map *maps;
	const struct system_irq *irqs;
	const struct system_port *ports;
	const struct system_end *ends;
	const struct system_guest *guests;
	const struct system_cap *caps;
	const struct system_io_space *io_spaces;
	const struct system_io_map *io_maps;
	const struct system_slice *slices;
};

// Check the bytes; on failure returns a short description of the problem, else null.
[[nodiscard]] const char *image_open(struct image *image, const void *bytes, uint64_t size);

static inline uint32_t image_count(const struct image *image, enum system_table_kind kind) {
	return image->header->tables[kind].count;
}

static inline const struct system_symbol *image_symbols(
	const struct image *image, const struct system_domain *domain) {
	return (const void *)(image->bytes + domain->symbols_offset);
}
