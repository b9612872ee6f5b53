// SPDX-License-Identifier: BSD-2-Clause
// The initial task's check of a system image: a good one, and damage of every kind.
#include "test.h"

#include <root/image.h>
#include <stdlib.h>
#include <string.h>

struct file {
	struct system_header header;
	struct system_domain domains[2];
	struct system_segment segment;
	struct system_region region;
	struct system_map maps[2];
	struct system_irq irq;
	struct system_port port;
	struct system_end end;
	struct system_guest guest;
	struct system_cap cap;
	struct system_io_space io_space;
	struct system_io_map io_map;
	struct system_slice slice;
	_Alignas(4096) uint8_t data[4096];
};

_Static_assert(offsetof(struct file, data) == 4096);

static void set_table(struct file *file, enum system_table_kind kind, size_t offset, uint32_t count,
	size_t size) {
	file->header.tables[kind] = (struct system_table){offset, count, (uint32_t)size};
}

static struct file good_file(void) {
	static const struct system_symbol symbols[] = {{0x200000, 16, 0}, {0x200010, 16, 4}};
	struct file file = {
		.header = {SYSTEM_IMAGE_MAGIC, SYSTEM_IMAGE_VERSION, SYSTEM_TABLE_COUNT,
			sizeof(file), 0, 0, {{0}}},
		.domains = {{"pd", 0x200000, 0x1000, 1000, 1000, 4096, 5, SYSTEM_DOMAIN_CALLABLE, 0,
				    SYSTEM_NONE, 0, 0, 0, 0, 2, 8, 63, 0},
			{"child", 0x200000, 0x1000, 1000, 1000, 0, 5, 0, SYSTEM_NONE, 0, 3, 0, 0, 0,
				0, 0, 0, 0}},
		.segment = {0, SYSTEM_READ, 0x200000, 0x2000, 4096, 4096},
		.region = {"ram", 0x1000, SYSTEM_ANY_ADDRESS, 4096, 100, 12, 0},
		.maps = {{0, SYSTEM_OWNER_DOMAIN, 0, SYSTEM_READ, 0x400000},
			{0, SYSTEM_OWNER_GUEST, 0, SYSTEM_READ, 0}},
		.irq = {0, 1, SYSTEM_IRQ_IOAPIC, 7, 63, 0, {0, 4, 0, 0}},
		.port = {0, 0, 0x3f8, 0x3ff},
		.end = {0, 2, 0, 3, SYSTEM_END_NOTIFY, 0},
		.guest = {"vm", 0, 0},
		.cap = {1, 63, SYSTEM_CAP_SPACE, 0},
		.io_space = {"device", 0x20, 1, 1, 2, 0, 0, 0, 0, SYSTEM_NONE, 0, 0},
		.io_map = {0, 0, SYSTEM_READ, 0, 0x1000},
		.slice = {1, SYSTEM_UNIT_MICROSECONDS, 100},
	};

	memcpy(file.data, symbols, sizeof(symbols));
	memcpy(file.data + sizeof(symbols), "one\0two", 8);
	set_table(
		&file, SYSTEM_DOMAINS, offsetof(struct file, domains), 2, sizeof(file.domains[0]));
	set_table(&file, SYSTEM_SEGMENTS, offsetof(struct file, segment), 1, sizeof(file.segment));
	set_table(&file, SYSTEM_REGIONS, offsetof(struct file, region), 1, sizeof(file.region));
	set_table(&file, SYSTEM_MAPS, offsetof(struct file, maps), 2, sizeof(file.maps[0]));
	set_table(&file, SYSTEM_IRQS, offsetof(struct file, irq), 1, sizeof(file.irq));
	set_table(&file, SYSTEM_PORTS, offsetof(struct file, port), 1, sizeof(file.port));
	set_table(&file, SYSTEM_ENDS, offsetof(struct file, end), 1, sizeof(file.end));
	set_table(&file, SYSTEM_GUESTS, offsetof(struct file, guest), 1, sizeof(file.guest));
	set_table(&file, SYSTEM_CAPS, offsetof(struct file, cap), 1, sizeof(file.cap));
	set_table(
		&file, SYSTEM_IO_SPACES, offsetof(struct file, io_space), 1, sizeof(file.io_space));
	set_table(&file, SYSTEM_IO_MAPS, offsetof(struct file, io_map), 1, sizeof(file.io_map));
	set_table(&file, SYSTEM_SLICES, offsetof(struct file, slice), 1, sizeof(file.slice));
	return file;
}

// On the heap with its exact size, so that the sanitizer sees a read past the end.
static const char *open_file(const struct file *file, size_t size) {
	uint8_t *bytes = malloc(size ? size : 1);
	struct image image;
	const char *problem;

	memcpy(bytes, file, size);
	problem = image_open(&image, bytes, size);
	free(bytes);
	return problem;
}

static void accepts(void) {
	struct file file = good_file();

	check(!open_file(&file, sizeof(file)));
}

static void truncated(void) {
	struct file file = good_file();

	for (size_t size = 0; size < sizeof(file); size += 8)
		check(open_file(&file, size));
}

#define check_refused(field, value) \
	do { \
		struct file file = good_file(); \
		file.field = value; \
		check(open_file(&file, sizeof(file))); \
	} while (0)

static void headers(void) {
	check_refused(header.magic[0], 'x');
	check_refused(header.version, SYSTEM_IMAGE_VERSION - 1);
	check_refused(header.table_count, 7);
	check_refused(header.schedule_start, 1);
	check_refused(header.schedule_shift, 100);
	check_refused(header.size, sizeof(struct file) + 1);
	check_refused(header.tables[0].count, 5000);
	check_refused(header.tables[0].count, 64);
	check_refused(header.tables[1].record_size, 8);
	check_refused(header.tables[2].offset, ~7ul);
	check_refused(header.tables[2].offset, 4);
}

static void domain_records(void) {
	check_refused(domains[0].name[0], 0);
	check_refused(domains[0].name[1], '\n');
	check_refused(domains[0].entry, ~0ul);
	check_refused(domains[0].stack_size, 0x1800);
	check_refused(domains[0].stack_size, 1ul << 40);
	check_refused(domains[0].priority, 255);
	check_refused(domains[0].budget, 2000);
	check_refused(domains[0].guest, 1);
	check_refused(domains[0].parent, 0);
	check_refused(domains[0].parent, 1);
	check_refused(domains[0].flags, 0);
	check_refused(domains[0].time_domain, 16);
	check_refused(domains[0].core, 64);
	check_refused(domains[0].symbol_count, 0xffffffff);
	check_refused(domains[0].symbols_offset, 8192);
	check_refused(domains[0].names_size, 7);
	check_refused(domains[0].names_size, 0);
	check_refused(domains[1].parent, 1);
	check_refused(domains[1].child_id, 62);
	check_refused(domains[1].flags, SYSTEM_DOMAIN_RESTART);
	check_refused(data[12], 8);
	check_refused(data[18], 0x10);
}

static void memory_records(void) {
	check_refused(segment.domain, 2);
	check_refused(segment.vaddr, 0x200800);
	check_refused(segment.vaddr, ~0xffful);
	check_refused(segment.data_size, 0x1001);
	check_refused(segment.data_offset, 8192);
	check_refused(region.page_bits, 13);
	check_refused(region.size, 0x800);
	check_refused(region.size, 0);
	check_refused(region.paddr, 0x800);
	check_refused(region.paddr, 1ul << 60);
	check_refused(region.data_size, 0x1001);
	check_refused(maps[0].region, 1);
	check_refused(maps[0].owner, 2);
	check_refused(maps[1].owner_kind, 2);
	check_refused(maps[1].address, 1ul << 47);
	check_refused(maps[1].address, 0x10);
}

static void rights_records(void) {
	check_refused(irq.id, 62);
	check_refused(irq.vector, 108);
	check_refused(irq.kind, 3);
	check_refused(irq.core, 64);
	check_refused(port.last, 0x10000);
	check_refused(port.first, 0x400);
	check_refused(end.peer, 2);
	check_refused(end.peer_id, 62);
	check_refused(guest.domain, 1);
	check_refused(guest.vcpu_id, 62);
	check_refused(cap.domain, 2);
	check_refused(cap.target, 2);
	check_refused(cap.slot, 0);
	check_refused(cap.slot, 64);
	check_refused(cap.kind, SYSTEM_CAP_KINDS);
	check_refused(io_space.device, 0x10000);
	check_refused(io_space.name[0], 0);
	check_refused(io_space.owner, 2);
	check_refused(io_space.settings, 1);
	check_refused(io_space.guest, 1);
	check_refused(io_map.space, 1);
	check_refused(io_map.region, 1);
	check_refused(io_map.address, 0x10);
	check_refused(slice.time_domain, 16);
	check_refused(slice.unit, 2);
	check_refused(slice.duration, 1ul << 56);
}

// Any one byte of the tables changed: refused or accepted, but no access outside.
static void any_byte(void) {
	struct file file = good_file();
	uint8_t *bytes = (uint8_t *)&file;

	for (size_t i = 0; i < offsetof(struct file, data) + 64; i++) {
		uint8_t old = bytes[i];

		bytes[i] = 0xff;
		open_file(&file, sizeof(file));
		bytes[i] = 0x80;
		open_file(&file, sizeof(file));
		bytes[i] = old;
	}
	check(!open_file(&file, sizeof(file)));
}

static const struct test rows[] = {
	{"user/image/accepts", "a well-formed image is accepted", accepts},
	{"user/image/truncated", "an image cut anywhere is refused", truncated},
	{"user/image/headers", "a damaged header is refused", headers},
	{"user/image/domains", "each field of a domain is checked", domain_records},
	{"user/image/memory", "each field of segments, regions, maps is checked", memory_records},
	{"user/image/rights", "each field of what gives a right is checked", rights_records},
	{"user/image/bytes", "no damaged byte leads outside the image", any_byte},
};

const struct tests image_tests = {rows, array_count(rows)};
