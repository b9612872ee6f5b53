// SPDX-License-Identifier: BSD-2-Clause
// Names of firmware, machine and board by SMBIOS (SMBIOS 3.4, 5.2 and 7.1 to 7.3), where BIOSes put
// it. Serial numbers are not read.
#include <root/report/report.h>

#include <base/bits.h>
#include <base/memory.h>

#include <root/physical.h>

#include <user/print.h>

enum {
	AREA = 0xf0000,
	AREA_SIZE = 0x10000,
	ANCHOR_STEP = 16,
	LENGTH_2 = 0x16, // in the entry point of version 2
	ADDRESS_2 = 0x18,
	LENGTH_3 = 0x0c, // and of version 3
	ADDRESS_3 = 0x10,
	ANCHOR_SIZE = 0x20,
	TABLE_LIMIT = 1 << 20,
	HEADER_SIZE = 4,
	NAMES = 3,
};

static const struct kind {
	uint8_t type;
	const char *line;
	struct {
		const char *name;
		uint8_t at; // in the structure, the number of its text
	} names[NAMES];
} kinds[] = {
	{0, "firmware", {{"maker", 4}, {"version", 5}, {"date", 8}}},
	{1, "machine", {{"maker", 4}, {"product", 5}}},
	{2, "board", {{"maker", 4}, {"product", 5}}},
};

struct table {
	seL4_Word address, length;
};

static struct table anchor_find(const uint8_t *area) {
	struct table found = {0};

	for (unsigned at = 0; area && at + ANCHOR_SIZE <= AREA_SIZE; at += ANCHOR_STEP) {
		const uint8_t *anchor = area + at;

		if (memcmp(anchor, "_SM3_", 5) == 0)
			return (struct table){bytes_number(anchor, ADDRESS_3, 8),
				bytes_number(anchor, LENGTH_3, 4)};
		if (memcmp(anchor, "_SM_", 4) == 0)
			found = (struct table){bytes_number(anchor, ADDRESS_2, 4),
				bytes_number(anchor, LENGTH_2, 2)};
	}
	return found;
}

// The texts of a structure follow it, each with a NUL, and another NUL behind the last.
static void print_text(const char *texts, seL4_Word left, unsigned number, const char *name) {
	seL4_Word length;

	for (unsigned i = 1; number > 0 && left > 0 && *texts; i++) {
		for (length = 0; length < left && texts[length];)
			length++;
		if (i == number) return report_text(name, texts, length);
		if (length == left) return;
		texts += length + 1;
		left -= length + 1;
	}
}

static void print_structure(const uint8_t *bytes, seL4_Word left) {
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];

		if (kind->type != bytes[0]) continue;
		print("report: %s", kind->line);
		for (unsigned n = 0; n < NAMES && kind->names[n].name; n++) {
			if (kind->names[n].at < bytes[1])
				print_text((const char *)bytes + bytes[1], left - bytes[1],
					bytes[kind->names[n].at], kind->names[n].name);
		}
		print("\n");
	}
}

// How long a structure is with its texts; 0: it does not end.
static seL4_Word structure_size(const uint8_t *bytes, seL4_Word left) {
	seL4_Word size = left < HEADER_SIZE ? 0 : bytes[1];

	if (size < HEADER_SIZE) return 0;
	for (; size + 2 <= left; size++) {
		if (bytes[size] == 0 && bytes[size + 1] == 0) return size + 2;
	}
	return 0;
}

void report_firmware(void) {
	struct table table = anchor_find(physical_map(AREA, AREA_SIZE));
	const uint8_t *bytes = table.length > 0 && table.length <= TABLE_LIMIT
		? physical_map(table.address, table.length)
		: NULL;
	seL4_Word left = table.length, size;

	if (!bytes) {
		print("report: no-smbios\n");
		return;
	}
	while ((size = structure_size(bytes, left)) > 0) {
		print_structure(bytes, size);
		bytes += size;
		left -= size;
	}
}
