// SPDX-License-Identifier: BSD-2-Clause
// Names for code addresses. Code bytes are those of the image: text is never written.
#include <root/symbols.h>

#include <stddef.h>

enum {
	// CALL of SDM 2A: E8 with 4 bytes, or FF with /2 in the ModRM byte and 0, 1, 2,
	// 4 or 5 bytes after it.
	CALL_NEAR = 0xe8,
	CALL_NEAR_LENGTH = 5,
	CALL_INDIRECT = 0xff,
	CALL_INDIRECT_SHORTEST = 2,
	CALL_INDIRECT_LONGEST = 7,
	MODRM_EXTENSION_SHIFT = 3,
	MODRM_EXTENSION_MASK = 7,
	CALL_EXTENSION = 2,
};

static const struct system_segment *code_around(
	const struct image *image, uint32_t domain, uint64_t address) {
	for (uint32_t i = 0; i < image_count(image, SYSTEM_SEGMENTS); i++) {
		const struct system_segment *segment = &image->segments[i];

		if (segment->domain == domain && (segment->access & SYSTEM_EXECUTE) &&
			address >= segment->vaddr &&
			address - segment->vaddr < segment->memory_size)
			return segment;
	}
	return NULL;
}

bool symbols_find(
	const struct image *image, uint32_t domain, uint64_t address, struct place *place) {
	const struct system_domain *record = &image->domains[domain];
	const struct system_symbol *symbols = image_symbols(image, record);
	const char *names = (const char *)(symbols + record->symbol_count);
	const struct system_segment *segment = code_around(image, domain, address);
	const struct system_symbol *best = NULL;

	if (!segment) return false;
	for (uint32_t i = 0; i < record->symbol_count && symbols[i].address <= address; i++)
		best = &symbols[i];
	if (!best || best->address < segment->vaddr) return false;
	*place = (struct place){names + best->name, address - best->address};
	return true;
}

bool symbols_follow_call(const struct image *image, uint32_t domain, uint64_t address) {
	const struct system_segment *segment = code_around(image, domain, address);
	const uint8_t *code;
	uint64_t before;

	if (!segment) return false;
	before = address - segment->vaddr;
	if (before > segment->data_size) return false;
	code = image->bytes + segment->data_offset + before;
	if (before >= CALL_NEAR_LENGTH && code[-CALL_NEAR_LENGTH] == CALL_NEAR) return true;
	for (uint64_t i = CALL_INDIRECT_SHORTEST; i <= CALL_INDIRECT_LONGEST && i <= before; i++) {
		unsigned extension = code[1 - (int)i] >> MODRM_EXTENSION_SHIFT;

		if (code[-(int)i] == CALL_INDIRECT &&
			(extension & MODRM_EXTENSION_MASK) == CALL_EXTENSION)
			return true;
	}
	return false;
}
