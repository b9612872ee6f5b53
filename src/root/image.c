// SPDX-License-Identifier: BSD-2-Clause
// Checks a system image record by record. Pure: runs in a host test. The composer has checked the
// meaning of the description; this checks that no record refers to anything outside the image, the
// id ranges or the address space.
#include <root/image.h>

#include <stdbool.h>

#include <abi/object.h>

#include <base/bits.h>
#include <base/memory.h>

static const struct table_limit {
	uint32_t record_size;
	uint32_t records;
} table_limits[SYSTEM_TABLE_COUNT] = {
#define ROW(table, record, limit) [table] = {sizeof(record), limit},
	SYSTEM_TABLES(ROW)
#undef ROW
};

static bool name_is_valid(const char *name) {
	if (name[0] == 0) return false;
	for (int i = 0; i < SYSTEM_NAME_LENGTH; i++) {
		if (name[i] == 0) return true;
		if (name[i] < ' ') return false;
	}
	return false;
}

static bool is_domain(const struct image *image, uint32_t index) {
	return index < image_count(image, SYSTEM_DOMAINS);
}

static bool data_is_inside(const struct image *image, uint64_t offset, uint64_t size) {
	return is_aligned(offset, 1ul << PAGE_BITS) &&
		range_fits(offset, size, image->header->size);
}

// Every name lies inside the names, which end with a NUL.
static bool symbols_are_valid(const struct image *image, const struct system_domain *domain) {
	uint64_t table_size = (uint64_t)domain->symbol_count * sizeof(struct system_symbol);
	uint64_t size = table_size + domain->names_size;
	const struct system_symbol *symbols;

	if (domain->symbol_count == 0) return true;
	if (domain->names_size == 0 || !data_is_inside(image, domain->symbols_offset, size))
		return false;
	symbols = image_symbols(image, domain);
	for (uint32_t i = 0; i < domain->symbol_count; i++) {
		if (symbols[i].name >= domain->names_size) return false;
		if (i > 0 && symbols[i].address < symbols[i - 1].address) return false;
	}
	return image->bytes[domain->symbols_offset + size - 1] == 0;
}

// A child's parent precedes it, receives its faults and decides what to do about them.
static bool family_is_valid(const struct image *image, uint32_t index) {
	const struct system_domain *domain = &image->domains[index];

	if (domain->parent == SYSTEM_NONE) return true;
	return domain->parent < index && domain->child_id <= SYSTEM_MAX_ID &&
		!(domain->flags & SYSTEM_DOMAIN_RESTART) &&
		(image->domains[domain->parent].flags & SYSTEM_DOMAIN_CALLABLE);
}

static bool domain_is_valid(const struct image *image, uint32_t index) {
	const struct system_domain *domain = &image->domains[index];

	return name_is_valid(domain->name) && domain->entry < USER_TOP && domain->stack_size > 0 &&
		domain->stack_size <= SYSTEM_MAX_STACK &&
		is_aligned(domain->stack_size, 1ul << PAGE_BITS) &&
		domain->priority < PRIORITIES - 1 && domain->budget <= domain->period &&
		(domain->guest == SYSTEM_NONE ||
			domain->guest < image_count(image, SYSTEM_GUESTS)) &&
		domain->core <= SYSTEM_MAX_CORE && domain->time_domain <= SYSTEM_MAX_TIME_DOMAIN &&
		family_is_valid(image, index) && symbols_are_valid(image, domain);
}

static bool segment_is_valid(const struct image *image, uint32_t index) {
	const struct system_segment *segment = &image->segments[index];

	return is_domain(image, segment->domain) && is_aligned(segment->vaddr, 1ul << PAGE_BITS) &&
		segment->memory_size > 0 &&
		range_fits(segment->vaddr, segment->memory_size, USER_TOP) &&
		segment->data_size <= segment->memory_size &&
		data_is_inside(image, segment->data_offset, segment->data_size);
}

static bool region_is_valid(const struct image *image, uint32_t index) {
	const struct system_region *region = &image->regions[index];
	uint64_t page = 1ul << (region->page_bits & 63);

	return name_is_valid(region->name) &&
		(region->page_bits == PAGE_BITS || region->page_bits == LARGE_PAGE_BITS) &&
		region->size > 0 && region->size <= USER_TOP && is_aligned(region->size, page) &&
		(region->paddr == SYSTEM_ANY_ADDRESS ||
			(region->paddr == SYSTEM_SCREEN_ADDRESS && region->data_size == 0) ||
			(is_aligned(region->paddr, page) &&
				range_fits(
					region->paddr, region->size, 1ul << UNTYPED_MAX_BITS))) &&
		region->data_size <= region->size &&
		data_is_inside(image, region->data_offset, region->data_size);
}

static bool map_is_valid(const struct image *image, uint32_t index) {
	const struct system_map *map = &image->maps[index];
	uint32_t owners = image_count(
		image, map->owner_kind == SYSTEM_OWNER_GUEST ? SYSTEM_GUESTS : SYSTEM_DOMAINS);
	const struct system_region *region;

	if (map->region >= image_count(image, SYSTEM_REGIONS) ||
		map->owner_kind > SYSTEM_OWNER_GUEST || map->owner >= owners)
		return false;
	region = &image->regions[map->region];
	return is_aligned(map->address, 1ul << region->page_bits) &&
		range_fits(map->address, region->size, USER_TOP);
}

static bool irq_is_valid(const struct image *image, uint32_t index) {
	const struct system_irq *irq = &image->irqs[index];

	return is_domain(image, irq->domain) && irq->id <= SYSTEM_MAX_ID &&
		irq->kind <= SYSTEM_IRQ_DEVICE && irq->vector < USER_IRQ_VECTORS &&
		irq->core <= SYSTEM_MAX_CORE &&
		(irq->kind != SYSTEM_IRQ_DEVICE ||
			irq->arguments[0] < image_count(image, SYSTEM_IO_SPACES));
}

static bool port_is_valid(const struct image *image, uint32_t index) {
	const struct system_port *port = &image->ports[index];

	return is_domain(image, port->domain) && port->id <= SYSTEM_MAX_ID &&
		port->first <= port->last && port->last <= 0xffff;
}

static bool end_is_valid(const struct image *image, uint32_t index) {
	const struct system_end *end = &image->ends[index];

	return is_domain(image, end->domain) && is_domain(image, end->peer) &&
		end->id <= SYSTEM_MAX_ID && end->peer_id <= SYSTEM_MAX_ID;
}

static bool guest_is_valid(const struct image *image, uint32_t index) {
	const struct system_guest *guest = &image->guests[index];

	return name_is_valid(guest->name) && is_domain(image, guest->domain) &&
		image->domains[guest->domain].guest == index && guest->vcpu_id <= SYSTEM_MAX_ID;
}

static bool cap_is_valid(const struct image *image, uint32_t index) {
	const struct system_cap *cap = &image->caps[index];

	return is_domain(image, cap->domain) && is_domain(image, cap->target) && cap->slot > 0 &&
		cap->slot <= SYSTEM_MAX_USER_SLOT && cap->kind < SYSTEM_CAP_KINDS;
}

static bool passed_is_valid(const struct image *image, const struct system_io_space *space) {
	return space->owner != SYSTEM_NONE && space->guest < image_count(image, SYSTEM_GUESTS) &&
		image->guests[space->guest].domain == space->owner &&
		is_aligned(space->window, SYSTEM_PASSED_WINDOW) &&
		range_fits(space->window, SYSTEM_PASSED_WINDOW, USER_TOP);
}

static bool io_space_is_valid(const struct image *image, uint32_t index) {
	const struct system_io_space *space = &image->io_spaces[index];

	return name_is_valid(space->name) && space->device <= 0xffff &&
		space->domain_id <= 0xffff &&
		(space->owner == SYSTEM_NONE ||
			(is_domain(image, space->owner) &&
				space->settings < image_count(image, SYSTEM_REGIONS))) &&
		(space->guest == SYSTEM_NONE || passed_is_valid(image, space));
}

static bool io_map_is_valid(const struct image *image, uint32_t index) {
	const struct system_io_map *map = &image->io_maps[index];
	const struct system_region *region;

	if (map->space >= image_count(image, SYSTEM_IO_SPACES) ||
		map->region >= image_count(image, SYSTEM_REGIONS))
		return false;
	region = &image->regions[map->region];
	return region->paddr != SYSTEM_SCREEN_ADDRESS &&
		is_aligned(map->address, 1ul << region->page_bits) &&
		range_fits(map->address, region->size, USER_TOP);
}

static bool slice_is_valid(const struct image *image, uint32_t index) {
	const struct system_slice *slice = &image->slices[index];

	return slice->time_domain <= SYSTEM_MAX_TIME_DOMAIN &&
		slice->unit <= SYSTEM_UNIT_MICROSECONDS &&
		slice->duration >> SYSTEM_DURATION_BITS == 0;
}

struct table_check {
	bool (*is_valid)(const struct image *image, uint32_t index);
	const char *problem;
};

static const struct table_check table_checks[SYSTEM_TABLE_COUNT] = {
	[SYSTEM_DOMAINS] = {domain_is_valid, "a protection domain record is damaged"},
	[SYSTEM_SEGMENTS] = {segment_is_valid, "a program segment record is damaged"},
	[SYSTEM_REGIONS] = {region_is_valid, "a memory region record is damaged"},
	[SYSTEM_MAPS] = {map_is_valid, "a mapping record is damaged"},
	[SYSTEM_IRQS] = {irq_is_valid, "an interrupt record is damaged"},
	[SYSTEM_PORTS] = {port_is_valid, "an I/O port record is damaged"},
	[SYSTEM_ENDS] = {end_is_valid, "a channel record is damaged"},
	[SYSTEM_GUESTS] = {guest_is_valid, "a virtual machine record is damaged"},
	[SYSTEM_CAPS] = {cap_is_valid, "a capability record is damaged"},
	[SYSTEM_IO_SPACES] = {io_space_is_valid, "an I/O address space record is damaged"},
	[SYSTEM_IO_MAPS] = {io_map_is_valid, "an I/O mapping record is damaged"},
	[SYSTEM_SLICES] = {slice_is_valid, "a schedule record is damaged"},
};

static const char *header_check(const struct system_header *header, uint64_t size) {
	if (memcmp(header->magic, SYSTEM_IMAGE_MAGIC, sizeof(header->magic)) != 0)
		return "it is not a system image";
	if (header->version != SYSTEM_IMAGE_VERSION || header->table_count != SYSTEM_TABLE_COUNT)
		return "it was made by another version of the composer";
	if (header->size > size) return "it is truncated";
	for (int i = 0; i < SYSTEM_TABLE_COUNT; i++) {
		const struct system_table *table = &header->tables[i];

		if (table->record_size != table_limits[i].record_size ||
			table->count > table_limits[i].records || !is_aligned(table->offset, 8) ||
			!range_fits(table->offset, (uint64_t)table->count * table->record_size,
				header->size))
			return "its header is damaged";
	}
	if (header->schedule_shift > SYSTEM_MAX_SLICES ||
		(header->tables[SYSTEM_SLICES].count > 0 &&
			header->schedule_start >= header->tables[SYSTEM_SLICES].count))
		return "its schedule is damaged";
	return NULL;
}

const char *image_open(struct image *image, const void *bytes, uint64_t size) {
	const struct system_header *header = bytes;
	const uint8_t *start = bytes;
	const char *problem;

	if (size < sizeof(*header)) return "it is truncated";
	problem = header_check(header, size);
	if (problem) return problem;
	*image = (struct image){
		.bytes = start,
		.header = header,
		.domains = (const void *)(start + header->tables[SYSTEM_DOMAINS].offset),
		.segments = (const void *)(start + header->tables[SYSTEM_SEGMENTS].offset),
		.regions = (const void *)(start + header->tables[SYSTEM_REGIONS].offset),
		.maps = (const void *)(start + header->tables[SYSTEM_MAPS].offset),
		.irqs = (const void *)(start + header->tables[SYSTEM_IRQS].offset),
		.ports = (const void *)(start + header->tables[SYSTEM_PORTS].offset),
		.ends = (const void *)(start + header->tables[SYSTEM_ENDS].offset),
		.guests = (const void *)(start + header->tables[SYSTEM_GUESTS].offset),
		.caps = (const void *)(start + header->tables[SYSTEM_CAPS].offset),
		.io_spaces = (const void *)(start + header->tables[SYSTEM_IO_SPACES].offset),
		.io_maps = (const void *)(start + header->tables[SYSTEM_IO_MAPS].offset),
		.slices = (const void *)(start + header->tables[SYSTEM_SLICES].offset),
	};
	for (int kind = 0; kind < SYSTEM_TABLE_COUNT; kind++) {
		for (uint32_t i = 0; i < header->tables[kind].count; i++) {
			if (!table_checks[kind].is_valid(image, i))
				return table_checks[kind].problem;
		}
	}
	return NULL;
}
